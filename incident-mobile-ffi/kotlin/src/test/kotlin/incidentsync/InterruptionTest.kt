package incidentsync

import incidentsync.support.Gate
import incidentsync.support.Phone
import incidentsync.support.java
import java.net.UnknownHostException
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import okhttp3.Dns
import okhttp3.OkHttpClient
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** A sync that is cut short, at any place, leaves nothing behind that would hold up the next one. */
class InterruptionTest : Phone() {
    @Test
    fun `a cancelled sync hands its upload back at once`() = phone {
        val outbox = outbox()
        val server = server()
        val key = outbox.report(draft()).key
        val arrived = CompletableDeferred<Unit>()
        val never = CountDownLatch(1)
        val gate = keep(Gate { arrived.complete(Unit); never.await() })

        coroutineScope {
            val sync = launch { outbox.sync(transport(gate.url, "any")) }
            arrived.await()
            assertEquals(EntryState.SENDING, outbox.entry(key).state)
            sync.cancelAndJoin()
        }

        assertEquals(EntryState.PENDING, outbox.entry(key).state)
        assertEquals(SyncEnd.Idle, outbox.sync(transport(server.url, server.token("alice"))))
        assertEquals(EntryState.SETTLED, outbox.entry(key).state)
    }

    @Test
    fun `a name that is looked up without end holds up no sync that is over`() = phone {
        val outbox = outbox()
        val key = outbox.report(draft()).key
        val over = CountDownLatch(1)
        val isWaitedFor = AtomicBoolean(false)
        // As the system's, which heeds nothing; a sync that waits for it would wait for five seconds.
        val hangs = Dns { isWaitedFor.set(!over.await(5, TimeUnit.SECONDS)); throw UnknownHostException(it) }
        val transport = OkHttpTransport("http://incidents.invalid", OkHttpClient.Builder().dns(hangs).build()) { "token" }

        val late = outbox.sync({ withTimeout(100) { transport.send(it) } })
        outbox.networkChanged()
        val cancelled = withTimeoutOrNull(100) { outbox.sync(transport) }

        assertEquals(WaitReason.TIMED_OUT to null, assertInstanceOf(SyncEnd.Wait::class.java, late).why to cancelled)
        assertFalse(isWaitedFor.get())
        assertEquals(EntryState.PENDING, outbox.entry(key).state)
        over.countDown()
    }

    @Test
    fun `a call that has begun tells its result to a cancelled coroutine`() = phone {
        val outbox = outbox()
        var told: Entry? = null

        coroutineScope {
            val report = launch(start = CoroutineStart.UNDISPATCHED) { told = outbox.report(draft()) }
            report.cancelAndJoin()
        }

        assertEquals(outbox.entries().single().key, told?.key)
    }

    @Test
    fun `a bug in a transport ends the sync and hands the upload back`() = phone {
        val outbox = outbox()
        val key = outbox.report(draft()).key
        val bug = NullPointerException("a bug")
        val thrown = assertThrows<NullPointerException> { outbox.sync({ throw bug }) }
        assertEquals(bug.message, thrown.message)
        assertEquals(EntryState.PENDING, outbox.entry(key).state)
    }

    @Test
    fun `a transport that cancels ends the sync and hands the upload back`() = phone {
        val outbox = outbox()
        val key = outbox.report(draft()).key
        var uploads = 0
        val cancels = Transport { if (uploads++ < 20) UploadResult.Cancelled else error("the sync does not end") }

        val end = assertInstanceOf(SyncEnd.Wait::class.java, outbox.sync(cancels) { error("no answer") })

        assertEquals("the transport cancelled the upload", end.detail)
        assertEquals(1, uploads)
        assertEquals(EntryState.PENDING, outbox.entry(key).state)
        assertEquals(0, outbox.entry(key).attempts)
    }

    @Test
    fun `an upload without an answer is given up when its time is over`() = phone {
        val outbox = outbox()
        outbox.report(draft())
        // A time-out of the transport's own making ends like the queue's.
        val result = outbox.sync({ withTimeout(1) { awaitCancellation() } })
        assertEquals(WaitReason.TIMED_OUT, assertInstanceOf(SyncEnd.Wait::class.java, result).why)
    }

    @Test
    fun `a caller who runs out of patience gets the time-out and not an answer`() = phone {
        val outbox = outbox()
        val key = outbox.report(draft()).key
        assertEquals(null, withTimeoutOrNull(1) { outbox.sync({ awaitCancellation() }) })
        assertEquals(EntryState.PENDING, outbox.entry(key).state)
        assertEquals(0, outbox.summary().sending)
    }

    @Test
    fun `two syncs at once do not send anything twice`() = phone {
        val outbox = outbox()
        val server = server()
        outbox.report(draft())
        val inside = CompletableDeferred<Unit>()
        val goOn = CompletableDeferred<Unit>()
        val online = transport(server.url, server.token("alice"))
        coroutineScope {
            val first = async { outbox.sync({ inside.complete(Unit); goOn.await(); online.send(it) }) }
            inside.await()
            val second = outbox.sync({ error("sent twice") })
            goOn.complete(Unit)
            assertEquals(WaitReason.ANOTHER_SENDER, assertInstanceOf(SyncEnd.Wait::class.java, second).why)
            assertEquals(SyncEnd.Idle, first.await())
        }
    }

    @Test
    fun `an outbox closed during a sync ends it with a typed error`() = phone {
        val outbox = outbox()
        outbox.report(draft())
        assertThrows<OutboxError.Closed> {
            outbox.sync({ outbox.close(); UploadResult.NetworkFailure(NetworkFailureKind.OFFLINE) })
        }
    }

    @Test
    fun `an app killed in the middle of a sync loses and doubles nothing`() = phone {
        val server = server()
        val requests = AtomicInteger()
        val third = CountDownLatch(1)
        val never = CountDownLatch(1)
        val gate = keep(
            Gate {
                if (requests.incrementAndGet() < 3) {
                    it.forward(server.url)
                } else {
                    // Committed by the server, and nobody lives to hear of it.
                    it.swallow(server.url)
                    third.countDown()
                    never.await()
                }
            },
        )
        val file = directory.resolve("outbox.db").toString()
        val app = java(AppToKill::class.java.name, file, gate.url, server.token("alice")).start()

        assertTrue(third.await(60, TimeUnit.SECONDS), "the app sends three uploads")
        assertEquals(137, app.destroyForcibly().waitFor())

        val outbox = outbox()
        assertEquals(300L, outbox.summary().pending)
        assertEquals(SyncEnd.Idle, outbox.sync(transport(server.url, server.token("alice"))))
        assertEquals(0L, outbox.summary().pending)
        assertEquals(AppToKill.REPORTS, server.incidents("alice").size)
    }
}

/** An app of its own process: reports, and syncs until it is killed. */
class AppToKill {
    companion object {
        const val REPORTS = 500

        @JvmStatic
        fun main(arguments: Array<String>) = runBlocking {
            val (file, url, token) = arguments
            val outbox = Outbox.open(file, "alice")
            repeat(REPORTS) { outbox.report(Draft(locationId = "ward-$it", longitude = 1.0, latitude = 2.0)) }
            outbox.sync(OkHttpTransport(url) { token })
            Unit
        }
    }
}
