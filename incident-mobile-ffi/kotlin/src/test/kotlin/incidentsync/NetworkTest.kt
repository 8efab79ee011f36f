package incidentsync

import incidentsync.support.Gate
import incidentsync.support.Phone
import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.SocketTimeoutException
import kotlin.concurrent.thread
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.withTimeout
import okhttp3.OkHttpClient
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** How a network fails, on real sockets, and what the queue makes of it. */
class NetworkTest : Phone() {
    private val upload = Upload(1, "POST", "/api/incidents/sync", listOf(), "{}".toByteArray(), 2_000)

    private suspend fun failure(url: String): UploadResult.NetworkFailure =
        assertInstanceOf(UploadResult.NetworkFailure::class.java, transport(url, "token").send(upload))

    /** A server that does this with each connection. */
    private fun listening(act: (Socket) -> Unit): String {
        val listener = keep(ServerSocket(0, 16, InetAddress.getLoopbackAddress()))
        thread(isDaemon = true) {
            runCatching { while (true) listener.accept().let { thread(isDaemon = true) { runCatching { act(it) } } } }
        }
        return "127.0.0.1:${listener.localPort}"
    }

    private fun assertFailed(kind: NetworkFailureKind, sent: Boolean, failed: UploadResult.NetworkFailure) =
        assertEquals(kind to sent, failed.kind to failed.sent, failed.detail)

    @Test
    fun `without a name or a route there is no network`() = phone {
        assertFailed(NetworkFailureKind.OFFLINE, false, failure("http://incidents.invalid"))
        // No connection goes to everybody at once.
        assertFailed(NetworkFailureKind.OFFLINE, false, failure("http://255.255.255.255"))
    }

    @Test
    fun `a machine that takes no connection refuses`() = phone {
        assertFailed(NetworkFailureKind.REFUSED, false, failure("http://127.0.0.1:9"))
    }

    @Test
    fun `somebody who speaks no TLS makes no secure connection`() = phone {
        val address = listening { it.use { it.getOutputStream().write("HTTP/1.1 400 \r\n\r\n".toByteArray()) } }
        assertFailed(NetworkFailureKind.TLS, false, failure("https://$address"))
    }

    @Test
    fun `a connection that breaks may have brought the request`() = phone {
        val address = listening { it.use { it.getInputStream().read() } }
        assertFailed(NetworkFailureKind.OTHER, true, failure("http://$address"))
    }

    @Test
    fun `silence is a time-out after the request was sent, and says so to the app`() = phone {
        val outbox = outbox()
        outbox.report(draft())
        val online = transport("http://" + listening { it.getInputStream().transferTo(java.io.OutputStream.nullOutputStream()) }, "token")
        val end = outbox.sync({ withTimeout(500) { online.send(it) } })
        val wait = assertInstanceOf(SyncEnd.Wait::class.java, end)
        assertEquals(WaitReason.TIMED_OUT, wait.why)
        assertEquals("the server did not answer in time", wait.detail)
    }

    @Test
    fun `a token that cannot be fetched is no request that left`() = phone {
        val transport = OkHttpTransport("http://127.0.0.1:9") { throw SocketTimeoutException("no secret in time") }
        val failed = transport.send(upload)
        assertEquals(UploadResult.NetworkFailure(NetworkFailureKind.TIMED_OUT, "SocketTimeoutException"), failed)
    }

    /** How many entries go at once once a batch of eight took too long, with this [transport]. */
    private suspend fun sizeAfterATimeOut(file: String, transport: Transport): Int {
        val outbox = outbox(file = file)
        repeat(8) { outbox.report(draft()) }
        val impatient = Transport { withTimeout(500) { transport.send(it) } }
        assertEquals(WaitReason.TIMED_OUT, assertInstanceOf(SyncEnd.Wait::class.java, outbox.sync(impatient)).why)
        outbox.networkChanged()
        val next = assertInstanceOf(NextUpload.Send::class.java, outbox.nextUpload()).upload
        return Regex("locationId").findAll(next.body.decodeToString()).count()
    }

    @Test
    fun `what took too long before it left halves no batch`() = phone {
        assertEquals(8, sizeAfterATimeOut("token.db", OkHttpTransport("http://127.0.0.1:9") { awaitCancellation() }))
        // Somebody who never agrees on TLS.
        val silent = listening { Thread.sleep(5_000) }
        assertEquals(8, sizeAfterATimeOut("tls.db", transport("https://$silent", "token")))
    }

    @Test
    fun `what took too long after it left halves the batch`() = phone {
        val silent = listening { it.getInputStream().transferTo(java.io.OutputStream.nullOutputStream()) }
        assertEquals(4, sizeAfterATimeOut("silent.db", transport("http://$silent", "token")))
        assertEquals(4, sizeAfterATimeOut("another.db") { awaitCancellation() })
    }

    @Test
    fun `an exception that quotes the token is told without it`() = phone {
        val quotes = OkHttpClient.Builder()
            .addInterceptor { throw IOException("no way for\n${it.request().header("Authorization")} " + "x".repeat(1000)) }
            .build()
        val failed = OkHttpTransport("http://127.0.0.1:9", quotes) { "secret" }.send(upload)
        val detail = assertInstanceOf(UploadResult.NetworkFailure::class.java, failed).detail
        assertTrue(detail.startsWith("IOException: no way for Bearer (token) xxx"), detail)
        assertEquals(200, detail.length)
        assertFalse("secret" in "$failed")
    }

    @Test
    fun `another network ends the wait, but not what the server asked for`() = phone {
        val outbox = outbox()
        val server = server()
        val key = outbox.report(draft()).key
        assertInstanceOf(SyncEnd.Wait::class.java, outbox.sync(transport("http://127.0.0.1:9", "token")))
        outbox.networkChanged()
        assertEquals(SyncEnd.Idle, outbox.sync(transport(server.url, server.token("alice"))))
        assertEquals(EntryState.SETTLED, outbox.entry(key).state)

        outbox.report(draft())
        val busy = """{"type":"/problems/overloaded","status":503,"disposition":"retry"}""".toByteArray()
        val gate = keep(Gate { it.answer(503, busy, "application/problem+json", "Retry-After" to "3600") })
        val asked = outbox.sync(transport(gate.url, "token"))
        outbox.networkChanged()
        assertEquals(asked, outbox.sync(transport(gate.url, "token")))
    }
}
