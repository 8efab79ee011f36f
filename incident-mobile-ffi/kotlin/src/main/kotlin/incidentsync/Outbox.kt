package incidentsync

import java.time.Instant
import java.util.concurrent.atomic.AtomicBoolean
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.withContext
import incidentsync.generated.Outbox as Queue

/**
 * The queue of one reporter in one file: a report that [report] accepted reaches the server exactly once, or its
 * reporter is told why not. Nothing ever drops it.
 *
 * May be shared by coroutines and threads; calls go one after the other, on [Dispatchers.IO]. A call that has
 * begun is not abandoned: a coroutine that is cancelled meanwhile still gets the result, so that it never is in
 * doubt about what was taken. Every call throws [OutboxError] and nothing else, but for [sync], out of which comes what
 * its transport throws, too.
 */
public class Outbox private constructor(private val queue: Queue) : AutoCloseable {
    private val closed = AtomicBoolean(false)

    /** Takes a report; it is durable when this returns. */
    public suspend fun report(draft: Draft): Entry = onDisk {
        requireText(draft)
        queue.report(draft)
    }

    /** Calls a report off, sent or not: the same entry, now with its [reason]. */
    public suspend fun cancel(key: String, reason: String): Entry = onDisk {
        requireText("key", key)
        requireText("cancellationReason", reason)
        queue.cancel(key, reason)
    }

    /** The entries of this reporter, newest first, at most [limit], from the one behind the key [after] on. */
    public suspend fun entries(filter: EntryState? = null, limit: Int = 100, after: String? = null): List<Entry> =
        onDisk {
            requireText("after", after)
            queue.entries(filter, limit.toLong(), after)
        }

    /** One entry. */
    public suspend fun entry(key: String): Entry = onDisk {
        requireText("key", key)
        queue.entry(key)
    }

    /** The queue in numbers, and what was saved if the file was found corrupt. */
    public suspend fun summary(): Summary = onDisk { queue.summary() }

    /**
     * The queue in numbers, now and after every change, by whatever process: what a screen follows. Many changes at once
     * are one, and a slow collector gets the last one; two that are equal mean that something else of an entry changed,
     * such as its reason. Ends when the outbox is closed.
     */
    public fun watch(): Flow<Summary> = watch(queue)

    /** Sends an entry again, at the user's wish: out of quarantine, and without waiting for a back-off. */
    public suspend fun retry(key: String): Entry = onDisk {
        requireText("key", key)
        queue.retry(key)
    }

    /** Removes an entry that is settled or in quarantine. */
    public suspend fun discard(key: String): Unit = onDisk {
        requireText("key", key)
        queue.discard(key)
    }

    /** Sends again what is in quarantine and what waits, or the entries of one state; says how many. */
    public suspend fun retryAll(filter: EntryState? = null): Long = onDisk { queue.retryAll(filter) }

    /** Removes what is settled or in quarantine, or the entries of one of these states; says how many. */
    public suspend fun discardAll(filter: EntryState? = null): Long = onDisk { queue.discardAll(filter) }

    /** There is another network, or one again: a back-off lapses; what the server asked to wait is kept. */
    public suspend fun networkChanged(): Unit = onDisk { queue.networkChanged() }

    /** There is a new token: what waited for it may go. */
    public suspend fun tokenChanged(): Unit = onDisk { queue.tokenChanged() }

    /** Says what to send next; [sync] asks for you, unless you bring a loop of your own. */
    public suspend fun nextUpload(): NextUpload = onDisk { queue.nextUpload().toPublic() }

    /** Takes what came of an upload; one that is no longer under way changes nothing. */
    public suspend fun completeUpload(id: Long, result: UploadResult): Progress =
        onDisk { queue.completeUpload(id, result.toCore()) }

    /**
     * Sends what waits until there is nothing left, or a reason to pause; [progress] hears of every answer, on a
     * background thread. Cancelling it hands the upload under way back to the queue.
     */
    public suspend fun sync(
        transport: Transport,
        progress: suspend (Progress) -> Unit = {},
    ): SyncEnd = withContext(Dispatchers.IO) { runSync(queue, transport, progress) }

    /** Turns the clock of an outbox that [openAt] opened under one; says whether it is still open. */
    internal fun turnTo(moment: Instant): Boolean = !closed.get() && orNullIfClosed { queue.turnTo(moment) } != null

    /**
     * Closes the file, on the thread that calls it; closing twice is no fault. Calls that come later throw
     * [OutboxError.Closed].
     */
    override fun close() {
        if (closed.compareAndSet(false, true)) {
            core { queue.shut() }
            queue.close()
        }
    }

    private suspend fun <T> onDisk(call: () -> T): T = uninterrupted { core(call) }

    public companion object {
        /**
         * Opens the file at [path], or makes it, for [reporter], the `sub` of the token. What a killed process was
         * sending waits again; a corrupt file is moved aside and saved from, see [Summary.recovery].
         *
         * [log] gets one line for each event, without a text of a report, a name or a token, on the thread whose call
         * made it. It may call the outbox, and what it throws is passed over.
         */
        public suspend fun open(
            path: String,
            reporter: String,
            settings: OutboxSettings = OutboxSettings(),
            log: ((String) -> Unit)? = null,
        ): Outbox = openAt(path, reporter, settings, log, now = null)

        /** The same under a clock that stands at [now] until it is turned, see [turnTo]; under the device's if `null`. */
        internal suspend fun openAt(
            path: String,
            reporter: String,
            settings: OutboxSettings,
            log: ((String) -> Unit)?,
            now: Instant?,
        ): Outbox = uninterrupted {
            requireText("path", path)
            requireText("reporter", reporter)
            Outbox(core { Queue.open(path, reporter, settings, log?.let(::Listener), now) })
        }
    }
}

/**
 * Runs [call] on [Dispatchers.IO] to its end. The inner context alone would drop the result where the coroutine is
 * cancelled on its way back; within [NonCancellable] there is nothing to cancel.
 */
internal suspend fun <T> uninterrupted(call: () -> T): T {
    currentCoroutineContext().ensureActive()
    return withContext(NonCancellable) { withContext(Dispatchers.IO) { call() } }
}
