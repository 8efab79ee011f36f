package incidentsync

import incidentsync.support.Phone
import java.time.Instant
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** What a screen shows of many entries, and what a log may. */
class ListTest : Phone() {
    @Test
    fun `the entries come in pages`() = phone {
        val outbox = outbox()
        val keys = List(25) { outbox.report(draft("ward-$it")).key }.reversed()
        val first = outbox.entries(limit = 10)
        val second = outbox.entries(limit = 10, after = first.last().key)
        val third = outbox.entries(limit = 10, after = second.last().key)
        assertEquals(keys, (first + second + third).map { it.key })
        assertTrue(outbox.entries(after = third.last().key).isEmpty())
        assertThrows<OutboxError.NotFound> { outbox.entries(after = "no key") }
    }

    @Test
    fun `all that was refused is sent again or discarded`() = phone {
        val outbox = outbox()
        repeat(3) { outbox.report(draft("ward-$it")) }
        val refusal = """{"type":"/problems/validation-failed","status":422,"disposition":"quarantine"}""".toByteArray()
        val refuses = Transport { UploadResult.Response(422, listOf(), refusal) }
        outbox.sync(refuses)
        assertEquals(3, outbox.summary().quarantined)
        assertEquals(3, outbox.retryAll(EntryState.QUARANTINED))
        assertEquals(3, outbox.summary().pending)
        outbox.sync(refuses)
        assertEquals(3, outbox.discardAll(EntryState.QUARANTINED))
        assertTrue(outbox.entries().isEmpty())
    }

    @Test
    fun `a list of fewer than no entries is refused`() = phone {
        val outbox = outbox()
        outbox.report(draft())
        val refused = assertThrows<OutboxError.InvalidArgument> { outbox.entries(limit = -1) }
        assertEquals("the limit of a list is negative", refused.message)
        assertTrue(outbox.entries(limit = 0).isEmpty())
        assertEquals(1, outbox.entries(limit = Int.MAX_VALUE).size)
    }

    @Test
    fun `an anonymous upload that is printed shows no key`() = phone {
        val outbox = outbox()
        val key = outbox.report(draft(isAnonymous = true)).key
        val upload = (outbox.nextUpload() as NextUpload.Send).upload
        assertTrue(upload.headers.any { key in it.value })
        assertTrue(upload.headers.none { key in "$it" }, "${upload.headers}")
    }

    @Test
    fun `nothing that is printed shows a text of a report`() = phone {
        val words = listOf("Sekretariat", "R-4711", "12.4924", "41.8902", "falscher Alarm", "2026")
        val outbox = outbox()
        val draft = draft("Sekretariat").copy(roomNumber = "R-4711", cancellationReason = "falscher Alarm")
        val entry = outbox.report(draft)
        val next = outbox.nextUpload() as NextUpload.Send
        val payload = canonicalPayload(entry.payload.toByteArray())
        val answer = UploadResult.Response(403, listOf(Header("X", "Sekretariat")), entry.payload.toByteArray())
        val incident = Incident(
            "id", IncidentStatus.CANCELLED, Outcome.CREATED, Instant.now(), false, null, "falscher Alarm",
        )
        val problem = Problem(409, null, "Sekretariat", listOf(), listOf("R-4711"))
        val core = incidentsync.generated.UploadResult.Response(403, answer.headers, answer.body)
        for (value in listOf(draft, entry, next, next.upload, payload, answer, incident, problem, core, Header("X", "R-4711"))) {
            val printed = value.toString()
            assertTrue(words.none { it in printed }, printed)
        }
    }
}
