package incidentsync

import incidentsync.support.Phone
import incidentsync.testing.FakeFault
import incidentsync.testing.FakeServer
import java.time.Duration
import java.time.Instant
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** What an app's own test does: no server, no network, no sleep. */
class FakeServerTest : Phone() {
    private val server = keep(FakeServer("alice", Instant.parse("2026-11-22T10:15:30.120Z")))

    private suspend fun app(): Outbox = keep(server.open(directory.resolve("app.db").toString(), "alice"))

    @Test
    fun `a report arrives, is cancelled, and is erased`() = phone {
        val outbox = app()
        val key = outbox.report(draft()).key
        assertEquals(SyncEnd.Idle, outbox.sync(server))
        outbox.cancel(key, "false alarm")
        assertEquals(SyncEnd.Idle, outbox.sync(server))
        val incident = server.incidents.single()
        assertEquals(
            listOf("alice", "ward-7", "false alarm", IncidentStatus.CANCELLED),
            listOf(incident.reporter, incident.locationId, incident.cancellationReason, incident.status),
        )
        server.erase(incident.id)
        assertEquals(null, server.incidents.single().status)
    }

    @Test
    fun `a busy server is asked again when the clock says so`() = phone {
        val outbox = app()
        outbox.report(draft())
        server.order(FakeFault.Busy(retryAfterS = 30))
        val wait = assertInstanceOf(SyncEnd.Wait::class.java, outbox.sync(server))
        assertTrue(wait.until >= server.now.plusSeconds(30))
        server.now = wait.until
        assertEquals(SyncEnd.Idle, outbox.sync(server))
        assertEquals(2, server.uploads)
    }

    @Test
    fun `every fault leads where a real one does`() = phone {
        val outbox = app()
        val waits = mapOf(
            FakeFault.Offline to WaitReason.OFFLINE,
            FakeFault.LostAnswer to WaitReason.NO_ANSWER,
            FakeFault.SlowLine to WaitReason.TIMED_OUT,
            FakeFault.Firewall to WaitReason.NOT_THE_SERVER,
        )
        for ((fault, why) in waits) {
            outbox.report(draft())
            server.order(fault)
            assertEquals(why, assertInstanceOf(SyncEnd.Wait::class.java, outbox.sync(server)).why)
            server.turn(Duration.ofHours(1))
            assertEquals(SyncEnd.Idle, outbox.sync(server))
        }
        assertEquals(waits.size, server.incidents.size)
    }

    @Test
    fun `another person's token, a refused one and a conflict`() = phone {
        val outbox = app()
        val key = outbox.report(draft()).key
        server.signIn("bob")
        assertEquals(SignInReason.WRONG_REPORTER, assertInstanceOf(SyncEnd.SignIn::class.java, outbox.sync(server)).why)
        server.signOut()
        outbox.tokenChanged()
        assertEquals(SignInReason.UNAUTHORIZED, assertInstanceOf(SyncEnd.SignIn::class.java, outbox.sync(server)).why)
        server.signIn("alice")
        outbox.tokenChanged()
        server.order(FakeFault.Conflict)
        assertEquals(SyncEnd.Idle, outbox.sync(server))
        assertEquals("idempotency-conflict", outbox.entry(key).problem?.slug)
    }

    @Test
    fun `an incident that is printed shows no text`() = phone {
        val outbox = app()
        outbox.cancel(outbox.report(draft("Sekretariat")).key, "falscher Alarm")
        assertEquals(SyncEnd.Idle, outbox.sync(server))
        val incident = server.incidents.single()
        val words = listOf("alice", "Sekretariat", "12.4924", "falscher Alarm", "2026")
        assertEquals(listOf<String>(), words.filter { it in "$incident" })
        assertTrue(incident.id in "$incident")
    }

    @Test
    fun `nonsense is told in words`() = phone {
        assertThrows<IllegalArgumentException> { server.order(FakeFault.Offline, 0) }
        assertThrows<IllegalArgumentException> { server.order(FakeFault.Busy(-1)) }
        assertThrows<IllegalArgumentException> { server.erase("no id") }
        assertThrows<IllegalArgumentException> { server.now = Instant.MAX }
        assertThrows<IllegalArgumentException> { FakeServer("") }
        server.close()
        assertThrows<OutboxError.Closed> { server.uploads }
    }
}
