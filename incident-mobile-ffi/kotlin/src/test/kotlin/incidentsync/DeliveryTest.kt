package incidentsync

import incidentsync.support.Phone
import incidentsync.support.Wire
import java.net.ServerSocket
import java.time.Instant
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What was reported reaches the real server exactly once. */
class DeliveryTest : Phone() {
    /** Where nobody listens. */
    private val nowhere = ServerSocket(0).use { "http://127.0.0.1:${it.localPort}" }

    @Test
    fun `a report made offline is created at the next sync`() = phone {
        val outbox = outbox()
        val entry = outbox.report(draft())
        val offline = outbox.sync(transport(nowhere, "any"))
        val server = server()
        outbox.retry(entry.key)
        val statuses = mutableListOf<Int>()
        val online = transport(server.url, server.token("alice"))

        val result = outbox.sync({
            online.send(it).also { answer -> statuses += (answer as UploadResult.Response).status }
        })

        assertEquals(WaitReason.REFUSED, assertInstanceOf(SyncEnd.Wait::class.java, offline).why)
        assertEquals(SyncEnd.Idle, result)
        assertEquals(listOf(201), statuses)
        val settled = outbox.entry(entry.key)
        assertEquals(EntryState.SETTLED, settled.state)
        assertEquals(Outcome.CREATED, settled.incident?.outcome)
        assertEquals(listOf(settled.incident?.id), server.incidents("alice").map { it["id"]?.jsonPrimitive?.content })
    }

    @Test
    fun `a report called off offline is in the history as made and as cancelled`() = phone {
        val outbox = outbox()
        val server = server()
        val key = outbox.report(draft()).key
        val cancelled = outbox.cancel(key, "false alarm")

        assertEquals(SyncEnd.Idle, outbox.sync(transport(server.url, server.token("alice"))))

        assertEquals("false alarm", cancelled.cancellationReason)
        val incident = outbox.entry(key).incident!!
        assertEquals(Outcome.CREATED_AND_CANCELLED, incident.outcome)
        assertEquals(IncidentStatus.CANCELLED, incident.status)
        assertEquals(listOf("created", "cancelled"), server.history(incident.id, "alice"))
    }

    @Test
    fun `a report called off after it was sent is cancelled at the next sync`() = phone {
        val outbox = outbox()
        val server = server()
        val transport = transport(server.url, server.token("alice"))
        val key = outbox.report(draft()).key
        outbox.sync(transport)
        outbox.cancel(key, "resolved")

        outbox.sync(transport)

        val incident = outbox.entry(key).incident!!
        assertEquals(Outcome.CANCELLED, incident.outcome)
        assertEquals("resolved", incident.cancellationReason)
        assertEquals(listOf("created", "cancelled"), server.history(incident.id, "alice"))
    }

    @Test
    fun `a server killed after the commit and before the answer makes no duplicate`() = phone {
        val outbox = outbox()
        val first = server()
        val wire = keep(Wire(first.url) { first.kill() })
        val key = outbox.report(draft()).key
        val lost = outbox.sync(transport(wire.url, first.token("alice")))
        val second = server()
        assertEquals(1, second.incidents("alice").size)
        outbox.retry(key)

        val result = outbox.sync(transport(second.url, second.token("alice")))

        assertEquals(WaitReason.NO_ANSWER, assertInstanceOf(SyncEnd.Wait::class.java, lost).why)
        assertEquals(SyncEnd.Idle, result)
        assertEquals(Outcome.UNCHANGED, outbox.entry(key).incident?.outcome)
        assertEquals(1, second.incidents("alice").size)
    }

    @Test
    fun `a bad entry among good ones is put aside with its problem`() = phone {
        val server = server()
        val transport = transport(server.url, server.token("alice"))
        val tablet = outbox(file = "tablet.db")
        tablet.report(draft("ward-7", createdAt = Instant.ofEpochMilli(1_795_342_530_120)))
        tablet.sync(transport)
        val outbox = outbox()
        val good = outbox.report(draft("ward-8")).key
        val bad = outbox.report(draft("ward-9", createdAt = Instant.ofEpochMilli(1_795_342_530_120))).key
        val other = outbox.report(draft("ward-10")).key

        assertEquals(SyncEnd.Idle, outbox.sync(transport))

        val refused = outbox.entry(bad)
        assertEquals(EntryState.QUARANTINED, refused.state)
        assertEquals(409L, refused.problem?.status)
        assertEquals("idempotency-conflict", refused.problem?.slug)
        assertEquals(listOf("locationId"), refused.problem?.fields)
        assertEquals(listOf(other, good), outbox.entries(EntryState.SETTLED).map { it.key })
        outbox.discard(bad)
        assertTrue(outbox.entries(EntryState.QUARANTINED).isEmpty())
    }

    @Test
    fun `another reporter neither sees nor sends the entries of the first`() = phone {
        val server = server()
        val alice = outbox("alice")
        val key = alice.report(draft()).key
        alice.close()
        val bob = outbox("bob")
        assertTrue(bob.entries().isEmpty())
        assertEquals(1, bob.summary().ofOthers)
        assertEquals(SyncEnd.Idle, bob.sync(transport(server.url, server.token("bob"))))
        bob.close()

        val back = outbox("alice")
        assertEquals(SyncEnd.Idle, back.sync(transport(server.url, server.token("alice"))))

        assertEquals(EntryState.SETTLED, back.entry(key).state)
        assertTrue(server.incidents("bob").isEmpty())
        assertEquals(1, server.incidents("alice").size)
    }
}
