package incidentsync.testing

import incidentsync.Listener
import incidentsync.Outbox
import incidentsync.OutboxError
import incidentsync.OutboxSettings
import incidentsync.Transport
import incidentsync.Upload
import incidentsync.UploadResult
import incidentsync.core
import incidentsync.generated.FakeFault as CoreFault
import incidentsync.generated.FakeServerException
import incidentsync.generated.UploadResult as CoreResult
import incidentsync.generated.FakeServer as CoreServer
import incidentsync.requireText
import incidentsync.uninterrupted
import java.time.Duration
import java.time.Instant

/** What becomes of an upload instead of an answer. */
public sealed interface FakeFault {
    /** There is no network; nothing reached the server. */
    public data object Offline : FakeFault

    /** The server took it, and its answer was lost on the way. */
    public data object LostAnswer : FakeFault

    /** So slow a line that the time was over before the server had all of it. */
    public data object SlowLine : FakeFault

    /** The server takes the token for expired: 401. */
    public data object Unauthorized : FakeFault

    /** A firewall on the way refuses it with a page of its own: 403, which is no word of the server's. */
    public data object Firewall : FakeFault

    /** The server asks for patience: 429. */
    public data class Busy(public val retryAfterS: Long) : FakeFault

    /** Somebody else has a report of this name: 409 for each entry. */
    public data object Conflict : FakeFault
}

/** An incident as the fake server has it. */
public typealias FakeIncident = incidentsync.generated.FakeIncident

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

    init {
        requireText("reporter", reporter)
        server = sensible { CoreServer(reporter, now) }
    }

    /** What the clock of the server and of its outboxes says; set it to turn it, forwards or back. */
    public var now: Instant
        get() = sensible { server.now() }
        set(moment) = sensible { server.turnTo(moment) }

    /** What the server has, oldest first. */
    public val incidents: List<FakeIncident> get() = sensible { server.incidents() }

    /** How many uploads it has seen, whatever became of them. */
    public val uploads: Long get() = sensible { server.uploads() }

    /** [Outbox.open], with the clock of this server. */
    public suspend fun open(
        path: String,
        reporter: String,
        settings: OutboxSettings = OutboxSettings(),
        log: ((String) -> Unit)? = null,
    ): Outbox = uninterrupted {
        requireText("path", path)
        requireText("reporter", reporter)
        Outbox(core { server.openOutbox(path, reporter, settings, log?.let(::Listener)) })
    }

    /** Answers, or lets the upload fail as ordered. */
    override suspend fun send(upload: Upload): UploadResult =
        when (val result = sensible { server.answer(upload) }) {
            is CoreResult.Response -> UploadResult.Response(result.status.toInt(), result.headers, result.body)
            is CoreResult.NetworkFailure -> UploadResult.NetworkFailure(result.kind, result.detail, result.sent)
            CoreResult.Cancelled -> UploadResult.Cancelled
        }

    /** Lets the next uploads fail in this way, [times] of them, behind those that were ordered before. */
    public fun order(fault: FakeFault, times: Int = 1): Unit = sensible { server.order(fault.toCore(), times.toLong()) }

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

private fun FakeFault.toCore(): CoreFault =
    when (this) {
        FakeFault.Offline -> CoreFault.Offline
        FakeFault.LostAnswer -> CoreFault.LostAnswer
        FakeFault.SlowLine -> CoreFault.SlowLine
        FakeFault.Unauthorized -> CoreFault.Unauthorized
        FakeFault.Firewall -> CoreFault.Firewall
        is FakeFault.Busy -> CoreFault.Busy(retryAfterS)
        FakeFault.Conflict -> CoreFault.Conflict
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
