package incidentsync.testing

import incidentsync.Outbox
import incidentsync.OutboxError
import incidentsync.OutboxSettings
import incidentsync.Transport
import incidentsync.Upload
import incidentsync.UploadResult
import incidentsync.requireText
import incidentsync.testing.generated.FakeServer as CoreServer
import incidentsync.testing.generated.FakeServerException
import java.time.Duration
import java.time.Instant
import java.util.concurrent.CopyOnWriteArrayList

/**
 * A server for an app's own tests: a [Transport] that answers by the rules of the real server, in memory, so that a test
 * needs no server, no network and no sleep. Its outboxes, see [open], go by its clock, which the test turns.
 *
 * What makes no sense is an [IllegalArgumentException] that says why.
 *
 * @param reporter whose token comes with the uploads; `null`: nobody is signed in.
 * @param now where its clock stands; at the device's time if `null`.
 */
public class FakeServer(reporter: String? = null, now: Instant? = null) : Transport, AutoCloseable {
    private val server: CoreServer
    private val outboxes = CopyOnWriteArrayList<Outbox>()

    init {
        requireText("reporter", reporter)
        server = sensible { CoreServer(reporter, now ?: Instant.now()) }
    }

    /** What the clock of the server and of its outboxes says; set it to turn it, forwards or back. */
    public var now: Instant
        get() = sensible { server.now() }
        set(moment) {
            sensible { server.turnTo(moment) }
            outboxes.removeIf { !it.turnTo(moment) }
        }

    /** What the server has, oldest first. */
    public val incidents: List<FakeIncident> get() = sensible { server.incidents() }.map(::toPublic)

    /** How many uploads it has seen, whatever became of them. */
    public val uploads: Long get() = sensible { server.uploads() }

    /** [Outbox.open], with the clock of this server. */
    public suspend fun open(
        path: String,
        reporter: String,
        settings: OutboxSettings = OutboxSettings(),
        log: ((String) -> Unit)? = null,
    ): Outbox = Outbox.openAt(path, reporter, settings, log, now).also(outboxes::add)

    /** Answers, or lets the upload fail as ordered. */
    override suspend fun send(upload: Upload): UploadResult =
        sensible { server.answer(upload.toRequest()) }.toResult()

    /** Lets the next uploads fail in this way, [times] of them, behind those that were ordered before. */
    public fun order(fault: FakeFault, times: Int = 1): Unit = sensible { server.order(lowered(fault), times.toLong()) }

    /** From now on the token that comes with uploads is this [reporter]'s. */
    public fun signIn(reporter: String) {
        requireText("reporter", reporter)
        sensible { server.signIn(reporter) }
    }

    /** From now on no token comes with uploads. */
    public fun signOut(): Unit = sensible { server.signIn(null) }

    /** Turns the clock on. */
    public fun turn(by: Duration) {
        now = now.plus(by)
    }

    /** Erases an incident, as an operator of the server would. */
    public fun erase(id: String) {
        requireText("id", id)
        sensible { server.erase(id) }
    }

    /** Ends it; outboxes that it opened go on. */
    override fun close(): Unit = server.close()
}

private inline fun <T> sensible(call: () -> T): T =
    try {
        call()
    } catch (error: FakeServerException.Nonsense) {
        throw IllegalArgumentException(error.detail)
    } catch (_: IllegalStateException) {
        // How the generated object answers once its handle is freed.
        throw OutboxError.Closed()
    }
