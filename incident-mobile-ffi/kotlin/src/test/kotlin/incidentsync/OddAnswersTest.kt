package incidentsync

import incidentsync.support.Phone
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import kotlin.concurrent.thread
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** Whatever bytes come back, a sync waits or asks to sign in: somebody on the way is no reason for an exception. */
class OddAnswersTest : Phone() {
    /** Answers each request with these bytes, and ends the connection. */
    private fun answering(bytes: ByteArray): String {
        val listener = keep(ServerSocket(0, 16, InetAddress.getLoopbackAddress()))
        fun serve(phone: Socket) = phone.use {
            val lines = phone.getInputStream().bufferedReader(Charsets.ISO_8859_1)
            val head = generateSequence { lines.readLine() }.takeWhile { it.isNotEmpty() }.toList()
            val length = head.first { it.startsWith("Content-Length: ") }.substringAfter(": ").toInt()
            repeat(length) { lines.read() }
            phone.getOutputStream().write(bytes)
            phone.shutdownOutput()
            lines.read()
        }
        thread(isDaemon = true) {
            runCatching { while (true) listener.accept().let { thread(isDaemon = true) { runCatching { serve(it) } } } }
        }
        return "http://127.0.0.1:${listener.localPort}"
    }

    private val odd = listOf(
        "HTTP/1.1 -20 X\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 abc X\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nabc",
        "HTTP/1.1 200 OK\r\n: no name\r\nNo colon\r\n folded\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX\u0000Y: z\u0001\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 307 M\r\nLocation: :::bad\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 401 U\r\nWWW-Authenticate: Basic realm=\"\u00ff\", Digest \u0000\r\nContent-Length: 0\r\n\r\n",
        "\u0015\u0003\u0001\u0000\u0002\u0002(",
        "",
    )

    @Test
    fun `no answer ends a sync with an exception`() = phone {
        val outbox = outbox()
        val key = outbox.report(draft()).key
        for (answer in odd) {
            val end = outbox.sync(transport(answering(answer.toByteArray(Charsets.ISO_8859_1)), "secret"))
            assertTrue(end is SyncEnd.Wait || end is SyncEnd.SignIn, "$answer: $end")
            outbox.networkChanged()
            outbox.tokenChanged()
        }
        assertEquals(EntryState.PENDING, outbox.entry(key).state)
    }

    @Test
    fun `what cannot be read may have been sent, and is told without the token`() = phone {
        val failed = transport(answering("HTTP/1.1 -20 secret\r\n\r\n".toByteArray()), "secret")
            .send(Upload(1, "POST", "/", listOf(), "{}".toByteArray(), 30_000))
        val failure = assertInstanceOf(UploadResult.NetworkFailure::class.java, failed)
        assertEquals(NetworkFailureKind.OTHER to true, failure.kind to failure.sent)
        assertTrue("IllegalStateException" in failure.detail && "secret" !in failure.detail, failure.detail)
    }

    @Test
    fun `a bug where the token is fetched is told as it is`() = phone {
        val outbox = outbox()
        outbox.report(draft())
        val transport = OkHttpTransport("http://127.0.0.1:9") { error("a bug") }
        assertEquals("a bug", assertThrows<IllegalStateException> { outbox.sync(transport) }.message)
    }
}
