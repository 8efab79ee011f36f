package incidentsync

import incidentsync.support.Phone
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Anonymous reports arrive without their reporter, and not side by side with named ones. */
class AnonymousTest : Phone() {
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
