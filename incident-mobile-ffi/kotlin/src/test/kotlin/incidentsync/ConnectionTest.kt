package incidentsync

import incidentsync.support.Gate
import incidentsync.support.OneAnswer
import incidentsync.support.Phone
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeoutOrNull
import okhttp3.ConnectionPool
import okhttp3.OkHttpClient
import okhttp3.Protocol
import okhttp3.Request
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Test

/** Which connection an upload goes on: one that is alive, and the same for all of a sync. */
class ConnectionTest : Phone() {
    private val upload = Upload(1, "POST", "/api/incidents/sync", listOf(), "{}".toByteArray(), 30_000)

    private fun assertAnswered(result: UploadResult?) =
        assertEquals(200, assertInstanceOf(UploadResult.Response::class.java, result).status)

    @Test
    fun `a connection on which no answer came is not used again`() = phone {
        val client = OkHttpClient.Builder().protocols(listOf(Protocol.H2_PRIOR_KNOWLEDGE)).build()
        val transport = OkHttpTransport(keep(OneAnswer()).url, client) { "token" }
        for (turn in 1..3) {
            assertAnswered(withTimeoutOrNull(5_000) { transport.send(upload) })
            assertEquals(null, withTimeoutOrNull(200) { transport.send(upload) })
        }
    }

    /** Closes each connection on which nothing came for a second and a half. */
    private fun impatient(): String {
        val listener = keep(ServerSocket(0, 16, InetAddress.getLoopbackAddress()))
        fun serve(phone: Socket) = phone.use {
            phone.soTimeout = 1_500
            val lines = phone.getInputStream().bufferedReader()
            while (generateSequence { lines.readLine() }.takeWhile { it.isNotEmpty() }.toList().isNotEmpty()) {
                repeat(upload.body.size) { lines.read() }
                phone.getOutputStream().write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".toByteArray())
            }
        }
        thread(isDaemon = true) {
            runCatching { while (true) listener.accept().let { thread(isDaemon = true) { runCatching { serve(it) } } } }
        }
        return "http://127.0.0.1:${listener.localPort}"
    }

    @Test
    fun `a connection that the server has closed meanwhile is not used again`() = phone {
        val transport = transport(impatient(), "token")
        assertAnswered(transport.send(upload))
        delay(1_900)
        assertAnswered(transport.send(upload))
    }

    @Test
    fun `the uploads of one sync share a connection`() = phone {
        val outbox = outbox()
        val server = server()
        repeat(201) { outbox.report(draft("ward-$it")) }
        val ports = ConcurrentLinkedQueue<Int>()
        val gate = keep(Gate { ports += it.port; it.forward(server.url) })

        assertEquals(SyncEnd.Idle, outbox.sync(transport(gate.url, server.token("alice"))))

        assertEquals(3 to 1, ports.size to ports.toSet().size)
    }

    @Test
    fun `an app's own connections stay as they are`() = phone {
        val pool = ConnectionPool(5, 5, TimeUnit.MINUTES)
        val client = OkHttpClient.Builder().connectionPool(pool).build()
        val gate = keep(Gate { it.answer(200, byteArrayOf(), "text/plain") })
        client.newCall(Request.Builder().url(gate.url).build()).execute().close()

        assertAnswered(OkHttpTransport(gate.url, client) { "token" }.send(upload))
        assertInstanceOf(
            UploadResult.NetworkFailure::class.java,
            OkHttpTransport("http://127.0.0.1:9", client) { "token" }.send(upload),
        )

        assertEquals(1 to 1, pool.connectionCount() to pool.idleConnectionCount())
    }
}
