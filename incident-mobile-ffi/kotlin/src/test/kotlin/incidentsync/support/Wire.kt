package incidentsync.support

import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.URI
import kotlin.concurrent.thread

/**
 * A TCP proxy to the server at [target] that lets requests through and loses the answers: at the first byte of one
 * it calls [answered] and breaks the connection.
 */
class Wire(target: String, private val answered: () -> Unit) : AutoCloseable {
    private val upstream = URI(target)
    private val listener = ServerSocket(0, 16, InetAddress.getLoopbackAddress())
    val url: String = "http://127.0.0.1:${listener.localPort}"

    init {
        thread(isDaemon = true) {
            runCatching { while (true) listener.accept().let { phone -> thread(isDaemon = true) { carry(phone) } } }
        }
    }

    private fun carry(phone: Socket) {
        Socket(upstream.host, upstream.port).use { server ->
            phone.use {
                thread(isDaemon = true) { runCatching { phone.getInputStream().transferTo(server.getOutputStream()) } }
                val first = try { server.getInputStream().read() } catch (_: IOException) { -1 }
                if (first >= 0) answered()
            }
        }
    }

    override fun close() = listener.close()
}
