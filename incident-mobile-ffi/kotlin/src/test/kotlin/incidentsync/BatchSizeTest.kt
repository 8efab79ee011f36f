package incidentsync

import incidentsync.support.Gate
import incidentsync.support.Phone
import incidentsync.support.SlowLine
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** However many entries there are and however slow the line is, all arrive. */
class BatchSizeTest : Phone() {
    @Test
    fun `a batch that is too large is halved until it fits`() = phone {
        val outbox = outbox()
        val server = server()
        repeat(40) { outbox.report(draft("ward-$it")) }
        val gate = keep(
            Gate { if (it.body.size > 2_000) it.answer(413, byteArrayOf(), "text/plain") else it.forward(server.url) },
        )
        val steps = mutableListOf<Progress>()

        assertEquals(SyncEnd.Idle, outbox.sync(transport(gate.url, server.token("alice")), { steps += it }))

        assertEquals(listOf(0L, 0L), steps.take(2).map { it.settled })
        assertEquals(40, steps.sumOf { it.settled })
        assertEquals(0, steps.sumOf { it.quarantined })
        assertEquals(40, server.incidents("alice").size)
    }

    @Test
    fun `ten thousand entries are delivered with progress`() = phone {
        val outbox = outbox()
        val server = server()
        repeat(10_000) { outbox.report(draft("ward-$it")) }
        val refused = runCatching { outbox.report(draft("one too many")) }.exceptionOrNull()
        val steps = mutableListOf<Progress>()

        assertEquals(SyncEnd.Idle, outbox.sync(transport(server.url, server.token("alice")), { steps += it }))

        assertInstanceOf(OutboxError.Full::class.java, refused)
        assertEquals((9_900L downTo 0 step 100).toList(), steps.map { it.pending })
        assertEquals(10_000, steps.sumOf { it.settled })
        assertEquals(10_000, server.incidents("alice").size)
    }

    @Test
    fun `a slow line delivers all in smaller batches`() = phone {
        val outbox = outbox()
        val server = server()
        repeat(100) { outbox.report(draft("ward-$it")) }
        val line = keep(SlowLine(server.url, bytesPerSecond = 2000))
        val online = transport(line.url, server.token("alice"))
        val sizes = mutableListOf<Int>()
        // A twentieth of the time of each upload, so that the test takes a twentieth, too.
        val impatient = Transport { upload ->
            sizes += upload.body.size
            withTimeoutOrNull(upload.timeoutMs / 20) { online.send(upload) }
                ?: UploadResult.NetworkFailure(NetworkFailureKind.TIMED_OUT, sent = true)
        }

        var syncs = 0
        while (outbox.sync(impatient) != SyncEnd.Idle) {
            assertTrue(++syncs < 50, "$sizes")
            outbox.networkChanged()
        }

        assertEquals(100, server.incidents("alice").size)
        assertTrue(sizes.max() > 6_000 && sizes.last() < 6_000, "$sizes")
    }
}
