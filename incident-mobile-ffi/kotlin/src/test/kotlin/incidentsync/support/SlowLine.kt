package incidentsync.support

import java.io.InputStream
import java.io.OutputStream
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.URI
import kotlin.concurrent.thread

/** A TCP proxy to the server at [target] that carries [bytesPerSecond] towards it. */
class SlowLine(target: String, private val bytesPerSecond: Int) : AutoCloseable {
    private val upstream = URI(target)

    // Otherwise the line would seem fast until the buffers are full.
    private val listener = ServerSocket().apply {
        receiveBufferSize = 2048
        bind(InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
    }
    val url: String = "http://127.0.0.1:${listener.localPort}"

    init {
        thread(isDaemon = true) {
            runCatching { while (true) carry(listener.accept(), Socket(upstream.host, upstream.port)) }
        }
    }

    private fun carry(phone: Socket, server: Socket) {
        between(phone, server) { from, to -> slowly(from, to) }
        between(server, phone) { from, to -> from.transferTo(to) }
    }

    private fun between(from: Socket, to: Socket, carry: (InputStream, OutputStream) -> Unit) =
        thread(isDaemon = true) {
            runCatching { carry(from.getInputStream(), to.getOutputStream()) }
            from.close()
            to.close()
        }

    private fun slowly(from: InputStream, to: OutputStream) {
        val part = ByteArray(128)
        while (true) {
            val length = from.read(part)
            if (length < 0) return
            to.write(part, 0, length)
            Thread.sleep(1000L * length / bytesPerSecond)
        }
    }

    override fun close() = listener.close()
}
