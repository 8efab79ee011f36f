package incidentsync.support

import java.io.DataInputStream
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import kotlin.concurrent.thread

/**
 * Speaks HTTP/2 without TLS (RFC 9113), as little of it as it needs: each connection answers one request, and is dead from
 * then on without a word, as behind a router that has forgotten it.
 */
class OneAnswer : AutoCloseable {
    private val listener = ServerSocket(0, 16, InetAddress.getLoopbackAddress())
    val url: String = "http://127.0.0.1:${listener.localPort}"

    init {
        thread(isDaemon = true) {
            runCatching { while (true) listener.accept().let { thread(isDaemon = true) { runCatching { serve(it) } } } }
        }
    }

    private fun serve(phone: Socket) = phone.use {
        val read = DataInputStream(phone.getInputStream())
        val answer = phone.getOutputStream()
        read.readFully(ByteArray(PREFACE))
        answer.write(frame(SETTINGS, flags = 0, stream = 0))
        var isDead = false
        while (true) {
            val (length, type) = read.readInt().let { it ushr 8 to (it and 0xff) }
            val flags = read.readUnsignedByte()
            val stream = read.readInt()
            read.readFully(ByteArray(length))
            if (isDead) continue
            if (type == SETTINGS && flags and ACK == 0) answer.write(frame(SETTINGS, ACK, stream = 0))
            if (type == DATA && flags and END_STREAM != 0) {
                answer.write(frame(HEADERS, END_STREAM or END_HEADERS, stream, STATUS_200))
                isDead = true
            }
        }
    }

    private fun frame(type: Int, flags: Int, stream: Int, vararg payload: Byte): ByteArray =
        byteArrayOf(0, 0, payload.size.toByte(), type.toByte(), flags.toByte(), 0, 0, 0, stream.toByte()) + payload

    override fun close() = listener.close()

    private companion object {
        const val PREFACE = 24
        const val DATA = 0
        const val HEADERS = 1
        const val SETTINGS = 4
        const val ACK = 1
        const val END_STREAM = 1
        const val END_HEADERS = 4

        /** `:status: 200` in the static table of HPACK (RFC 7541). */
        const val STATUS_200: Byte = 0x88.toByte()
    }
}
