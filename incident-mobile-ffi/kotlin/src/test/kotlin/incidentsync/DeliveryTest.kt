package incidentsync

import incidentsync.support.Gate
import incidentsync.support.Phone
import incidentsync.support.SlowLine
import incidentsync.support.Wire
import java.net.ServerSocket
import java.time.Instant
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNull
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
    fun `a captive portal settles nothing and costs nothing`() = phone {
        val outbox = outbox()
        val server = server()
        val page = "<html>Welcome to the lobby</html>".toByteArray()
        val portal = keep(Gate { it.answer(200, page, "text/html") })
        val key = outbox.report(draft()).key

        val result = outbox.sync(transport(portal.url, server.token("alice")))

        assertEquals(WaitReason.NOT_THE_SERVER, assertInstanceOf(SyncEnd.Wait::class.java, result).why)
        assertEquals(EntryState.PENDING, outbox.entry(key).state)
        assertNull(outbox.entry(key).problem)
        outbox.retry(key)
        assertEquals(SyncEnd.Idle, outbox.sync(transport(server.url, server.token("alice"))))
        assertEquals(EntryState.SETTLED, outbox.entry(key).state)
    }

    @Test
    fun `a refused token stops the queue until there is a new one`() = phone {
        val outbox = outbox()
        val server = server()
        val key = outbox.report(draft()).key
        val stale = transport(server.url, "a.stale.token")

        assertInstanceOf(SyncEnd.SignIn::class.java, outbox.sync(stale))
        assertInstanceOf(SyncEnd.SignIn::class.java, outbox.sync(transport(server.url, server.token("alice"))))
        assertEquals(EntryState.PENDING, outbox.entry(key).state)
        outbox.tokenChanged()
        assertEquals(SyncEnd.Idle, outbox.sync(transport(server.url, server.token("alice"))))

        assertEquals(EntryState.SETTLED, outbox.entry(key).state)
    }

    @Test
    fun `nobody signed in is a reason to sign in`() = phone {
        val outbox = outbox()
        outbox.report(draft())
        assertInstanceOf(SyncEnd.SignIn::class.java, outbox.sync(transport(server().url, null)))
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

    @Test
    fun `under another person's token nothing is stored`() = phone {
        val outbox = outbox()
        val server = server()
        for (entries in listOf(1, 3)) {
            val keys = List(entries) { outbox.report(draft("ward-$it")).key }

            val refused = outbox.sync(transport(server.url, server.token("bob")))

            val end = assertInstanceOf(SyncEnd.SignIn::class.java, refused)
            assertEquals(SignInReason.WRONG_REPORTER, end.why)
            assertTrue("not that of the reporter" in end.detail, end.detail)
            assertTrue(server.incidents("bob").isEmpty())
            for (key in keys) {
                assertEquals(EntryState.PENDING, outbox.entry(key).state)
                assertEquals(0, outbox.entry(key).attempts)
            }
            outbox.tokenChanged()
            assertEquals(SyncEnd.Idle, outbox.sync(transport(server.url, server.token("alice"))))
        }
        assertEquals(4, server.incidents("alice").size)
        assertTrue(server.incidents("bob").isEmpty())
    }

    @Test
    fun `a firewall's page is waited out and quarantines nothing`() = phone {
        val outbox = outbox()
        val server = server()
        repeat(250) { outbox.report(draft("ward-$it")) }
        val firewall = keep(Gate { it.answer(403, "<html>Blocked by policy</html>".toByteArray(), "text/html") })

        val end = outbox.sync(transport(firewall.url, server.token("alice")))

        assertEquals(WaitReason.NOT_THE_SERVER, assertInstanceOf(SyncEnd.Wait::class.java, end).why)
        assertEquals(1, firewall.seen.size)
        assertEquals(0L, outbox.summary().quarantined)
        outbox.networkChanged()
        assertEquals(SyncEnd.Idle, outbox.sync(transport(server.url, server.token("alice"))))
        assertEquals(250, server.incidents("alice").size)
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

    @Test
    fun `an anonymous report arrives without its reporter`() = phone {
        val outbox = outbox()
        val server = server()
        val key = outbox.report(draft(isAnonymous = true)).key

        assertEquals(SyncEnd.Idle, outbox.sync(transport(server.url, server.token("alice"))))

        assertInstanceOf(OutboxError.NotFound::class.java, runCatching { outbox.entry(key) }.exceptionOrNull())
        assertTrue(server.incidents("alice").isEmpty())
    }

    @Test
    fun `an anonymous report waits behind a named one`() = phone {
        val outbox = outbox()
        val server = server()
        outbox.report(draft(isAnonymous = true))
        val named = outbox.report(draft()).key

        val end = assertInstanceOf(
            SyncEnd.Wait::class.java,
            outbox.sync(transport(server.url, server.token("alice"))),
        )

        assertEquals(WaitReason.SPACING, end.why)
        assertEquals(EntryState.SETTLED, outbox.entry(named).state)
        assertEquals(1, outbox.summary().pending)
    }

    @Test
    fun `an app may keep no settled report and space no anonymous one`() = phone {
        val outbox = outbox(settings = OutboxSettings(settledForMs = 0, longestSpacingMs = 0))
        val server = server()
        outbox.report(draft())
        outbox.report(draft(isAnonymous = true))

        assertEquals(SyncEnd.Idle, outbox.sync(transport(server.url, server.token("alice"))))

        assertEquals(emptyList<Entry>(), outbox.entries())
        assertEquals(1, server.incidents("alice").size)
    }
}
