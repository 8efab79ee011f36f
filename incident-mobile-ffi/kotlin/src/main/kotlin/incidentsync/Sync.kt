package incidentsync

import java.io.IOException
import java.time.Instant
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import incidentsync.generated.NextUpload as CoreNext
import incidentsync.generated.Outbox as Queue
import incidentsync.generated.UploadResult as CoreResult

/** What to do next: send something, or end the sync. */
public sealed interface NextUpload {
    /** Send this and hand back what came of it. */
    public data class Send(public val upload: Upload) : NextUpload
}

/** Why a sync ended. */
public sealed interface SyncEnd : NextUpload {
    /** There is more to send, but not before [until]: schedule the next sync for then. */
    public data class Wait(
        public val until: Instant,
        public val why: WaitReason,
        /** The same in words for a log: never a token or a text of a report. */
        public val detail: String,
    ) : SyncEnd

    /** The token is at fault: get another one, call [Outbox.tokenChanged] and sync again. */
    public data class SignIn(
        public val why: SignInReason,
        /** The same in words for a log: never a token or a text of a report. */
        public val detail: String,
    ) : SyncEnd

    /** Nothing is left to send. */
    public data object Idle : SyncEnd
}

/** The loop: what the queue wants sent is sent, and what came of it handed back, until the queue wants no more. */
internal suspend fun runSync(
    queue: Queue,
    transport: Transport,
    progress: suspend (Progress) -> Unit,
): SyncEnd {
    var upload: Upload? = null
    try {
        while (true) {
            currentCoroutineContext().ensureActive()
            when (val next = core { queue.nextUpload().toPublic() }) {
                is NextUpload.Send -> {
                    upload = next.upload
                    val result = deliver(next.upload, transport)
                    val done = core { queue.completeUpload(next.upload.id, result.toCore()) }
                    if (result == UploadResult.Cancelled) return cancelled()
                    progress(done)
                }
                is SyncEnd -> return next
            }
        }
    } catch (stopped: Throwable) {
        // What was under way is pending again, and another process may send at once.
        upload?.let { runCatching { queue.completeUpload(it.id, CoreResult.Cancelled) }.onFailure(stopped::addSuppressed) }
        throw stopped
    }
}

/** Nothing but the transport holds the queue up: it may be asked again at any time. */
private fun cancelled() = SyncEnd.Wait(Instant.now(), WaitReason.NO_ANSWER, "the transport cancelled the upload")

/** What the transport brings back, in the time that the queue gives it. */
private suspend fun deliver(upload: Upload, transport: Transport): UploadResult {
    val way = Way()
    return try {
        withTimeoutOrNull(upload.timeoutMs) { withContext(way) { transport.send(upload) } } ?: tooLate(way)
    } catch (error: IOException) {
        // Another's transport, whose words may hold anything.
        error.toFailure(sent = true, detail = error.javaClass.simpleName)
    } catch (_: TimeoutCancellationException) {
        // The transport's own; ours comes back as null, and a cancelled sync is not active.
        currentCoroutineContext().ensureActive()
        tooLate(way)
    }
}

private fun tooLate(way: Way) =
    UploadResult.NetworkFailure(NetworkFailureKind.TIMED_OUT, "no answer in time", sent = way.mayHaveLeft)

/** How far an upload came: a transport that knows notes it here. Of another's nothing is known. */
internal class Way : AbstractCoroutineContextElement(Way) {
    @Volatile
    var isTold: Boolean = false

    @Volatile
    var hasLeft: Boolean = false

    val mayHaveLeft: Boolean get() = hasLeft || !isTold

    companion object Key : CoroutineContext.Key<Way>
}

internal fun CoreNext.toPublic(): NextUpload =
    when (this) {
        is CoreNext.Send -> NextUpload.Send(upload)
        is CoreNext.Wait -> SyncEnd.Wait(until, why, detail)
        is CoreNext.SignIn -> SyncEnd.SignIn(why, detail)
        CoreNext.Idle -> SyncEnd.Idle
    }

internal fun UploadResult.toCore(): CoreResult =
    when (this) {
        is UploadResult.Response -> CoreResult.Response(status.toLong(), headers.map { it.encodable() }, body)
        is UploadResult.NetworkFailure -> CoreResult.NetworkFailure(kind, detail.encodable(), sent)
        UploadResult.Cancelled -> CoreResult.Cancelled
    }

private fun Header.encodable() = Header(name.encodable(), value.encodable())

/** With a sign in place of half a surrogate pair, which no UTF-8 can hold: a text that was cut may end in one. */
private fun String.encodable() = encodeToByteArray().decodeToString()
