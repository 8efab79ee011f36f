package incidentsync

import incidentsync.support.Gate
import incidentsync.support.Phone
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Who stands between the phone and the server, or does not know its token, costs no report. */
class RefusalTest : Phone() {
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
}
