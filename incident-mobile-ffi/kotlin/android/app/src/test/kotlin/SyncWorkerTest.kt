package com.example.app

import androidx.work.WorkInfo.State.BLOCKED
import androidx.work.WorkInfo.State.ENQUEUED
import androidx.work.WorkInfo.State.RUNNING
import androidx.work.WorkInfo.State.SUCCEEDED
import incidentsync.EntryState
import incidentsync.OkHttpTransport
import incidentsync.SyncEnd
import incidentsync.WaitReason
import incidentsync.android.SyncWorker
import incidentsync.support.Gate
import incidentsync.support.Passage
import java.time.Duration
import java.time.Instant
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicBoolean
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

/** The worker as an app has it: the real WorkManager, the real outbox and the real server. */
class SyncWorkerTest : Device() {
    @Test
    fun `a report reaches the server`() {
        val server = signedIn()
        val key = report()

        SyncWorker.schedule(app)
        await { works(SUCCEEDED).isNotEmpty() }

        assertEquals(1, server.incidents("alice").size)
        assertEquals(EntryState.SETTLED, outbox { entry(key) }.state)
    }

    @Test
    fun `a report made offline goes when there is a network`() {
        val server = signedIn()
        network.goes()
        report()

        SyncWorker.schedule(app)
        await { works(ENQUEUED).isNotEmpty() }
        network.comes()
        await { works(SUCCEEDED).isNotEmpty() }

        assertEquals(1, server.incidents("alice").size)
    }

    @Test
    fun `reports made offline wait in one worker`() {
        val server = signedIn()
        network.goes()
        repeat(3) { reported() }

        network.comes()
        await { works(ENQUEUED, RUNNING, BLOCKED).isEmpty() }

        assertEquals(3, server.incidents("alice").size)
        assertEquals(1, works(SUCCEEDED).size)
    }

    @Test
    fun `reports made while a sync runs wait in one worker behind it`() {
        val server = signedIn()
        val arrived = CountDownLatch(1)
        val goOn = CountDownLatch(1)
        val gate = keep(Gate { arrived.countDown(); goOn.await(); it.forward(server.url) })
        app.server = gate.url
        reported()
        await { arrived.count == 0L }
        repeat(3) { reported() }

        goOn.countDown()
        await { works(ENQUEUED, RUNNING, BLOCKED).isEmpty() }

        assertEquals(4, server.incidents("alice").size)
        assertEquals(2, works(SUCCEEDED).size)
    }

    /** A report as an app makes it; WorkManager has taken its wake-up in, or left it, when this returns. */
    private fun reported() {
        report()
        SyncWorker.schedule(app)
        await { works(ENQUEUED, RUNNING, BLOCKED).isNotEmpty() }
    }

    @Test
    fun `a busy server is asked again at the moment that it gave`() {
        val server = signedIn()
        val moments = mutableListOf<Instant>()
        val gate = keep(
            Gate {
                moments += Instant.now()
                if (moments.size == 1) it.busy(seconds = 2) else it.forward(server.url)
            },
        )
        app.server = gate.url
        val key = report()

        SyncWorker.schedule(app)
        await { outbox { entry(key) }.state == EntryState.SETTLED }

        assertTrue(Duration.between(moments[0], moments[1]) >= Duration.ofSeconds(2))
        assertEquals(1, server.incidents("alice").size)
    }

    @Test
    fun `a wait is scheduled for its moment`() {
        signedIn()
        val gate = keep(Gate { it.busy(seconds = 3600) })
        app.server = gate.url
        report()

        val before = Instant.now()
        SyncWorker.schedule(app)
        await { works(SUCCEEDED).isNotEmpty() && works(ENQUEUED).isNotEmpty() }

        val moment = Instant.ofEpochMilli(works(ENQUEUED).single().nextScheduleTimeMillis)
        val wait = Duration.between(before, moment)
        assertTrue("$wait", wait >= Duration.ofMinutes(60) && wait < Duration.ofMinutes(61))
    }

    @Test
    fun `nothing that is scheduled now stands behind a moment far away`() {
        val server = signedIn()
        val busy = AtomicBoolean(true)
        val gate = keep(Gate { if (busy.get()) it.busy(seconds = 3600) else it.forward(server.url) })
        app.server = gate.url
        report()
        SyncWorker.schedule(app)
        await { works(SUCCEEDED).isNotEmpty() && works(ENQUEUED).isNotEmpty() }

        busy.set(false)
        app.signIn("bob", server.token("bob"))
        report()
        SyncWorker.schedule(app)
        await { works(SUCCEEDED).size == 2 }

        assertEquals(1, server.incidents("bob").size)
    }

    @Test
    fun `a token that is refused makes the app ask to sign in`() {
        val server = signedIn()
        app.signIn("alice", "refused")
        val key = report()

        SyncWorker.schedule(app)
        await { app.asked.count == 0L && works(SUCCEEDED).isNotEmpty() }
        assertEquals(EntryState.PENDING, outbox { entry(key) }.state)

        app.signIn("alice", server.token("alice"))
        SyncWorker.schedule(app)
        await { works(SUCCEEDED).size == 2 }
        assertEquals(EntryState.SETTLED, outbox { entry(key) }.state)
    }

    @Test
    fun `another network ends a wait`() {
        val server = signedIn()
        SyncWorker.followNetwork(app)
        val portal = AtomicBoolean(true)
        val page = "<html>Welcome to the lobby</html>".toByteArray()
        val gate = keep(Gate { if (portal.get()) it.answer(200, page, "text/html") else it.forward(server.url) })
        app.server = gate.url
        val keys = List(2) { report() }
        SyncWorker.schedule(app)
        await { works(SUCCEEDED).isNotEmpty() }

        portal.set(false)
        network.goes()
        network.comes()
        await { keys.all { outbox { entry(it) }.state == EntryState.SETTLED } }

        assertEquals(2, server.incidents("alice").size)
    }

    @Test
    fun `after an error that nobody knows WorkManager tries again`() {
        signedIn()
        app.failure = IllegalStateException("the key store is locked")
        val key = report()

        SyncWorker.schedule(app)
        await { works(ENQUEUED).any { it.runAttemptCount == 1 } }

        val again = Instant.ofEpochMilli(works(ENQUEUED).single().nextScheduleTimeMillis)
        assertTrue("$again", again < Instant.now() + Duration.ofSeconds(31))
        assertEquals(EntryState.PENDING, outbox { entry(key) }.state)
    }

    @Test
    fun `a bug is no end either`() {
        signedIn()
        app.failure = NoClassDefFoundError("a class that R8 has taken")
        report()

        SyncWorker.schedule(app)
        await { works(ENQUEUED).any { it.runAttemptCount == 1 } }
    }

    @Test
    fun `a worker that is stopped hands its upload back and is scheduled again`() {
        val server = signedIn()
        val arrived = CountDownLatch(1)
        val never = CountDownLatch(1)
        val gate = keep(Gate { arrived.countDown(); never.await() })
        app.server = gate.url
        val key = report()
        SyncWorker.schedule(app)
        await { arrived.count == 0L }
        val other = outbox { nextUpload() } as SyncEnd.Wait
        assertEquals(WaitReason.ANOTHER_SENDER, other.why)

        network.goes()
        await { works(ENQUEUED).isNotEmpty() }
        await { outbox { sync(OkHttpTransport(server.url) { app.token }) } == SyncEnd.Idle }

        assertEquals(EntryState.SETTLED, outbox { entry(key) }.state)
        assertEquals(1, server.incidents("alice").size)
    }
}

private fun Passage.busy(seconds: Int) {
    // In the contract's words: anybody else may ask for a quarter of an hour at most.
    val problem = """{"type":"/problems/overloaded","status":503,"disposition":"retry"}"""
    answer(503, problem.toByteArray(), "application/problem+json", "Retry-After" to "$seconds")
}
