package incidentsync

import incidentsync.support.Phone
import incidentsync.support.java
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** A screen follows the queue, and a log hears of it. */
class WatchTest : Phone() {
    @Test
    fun `a screen sees the present and every change`() = phone {
        val outbox = outbox()
        val shown = CompletableDeferred<Unit>()
        coroutineScope {
            launch { outbox.watch().onEach { shown.complete(Unit) }.first { it.pending == 2L } }
            shown.await()
            repeat(2) { outbox.report(draft("ward-$it")) }
        }
    }

    @Test
    fun `a screen sees what another process reports`() = phone {
        val outbox = outbox()
        val file = directory.resolve("outbox.db").toString()
        val shown = CompletableDeferred<Unit>()
        coroutineScope {
            launch { outbox.watch().onEach { shown.complete(Unit) }.first { it.pending == 1L } }
            shown.await()
            assertEquals(0, java("incidentsync.ReporterKt", file).start().waitFor())
        }
    }

    @Test
    fun `the end of the outbox is the end of the flow`() = phone {
        val outbox = outbox()
        val shown = CompletableDeferred<Unit>()
        coroutineScope {
            val all = launch { outbox.watch().onEach { shown.complete(Unit) }.toList() }
            shown.await()
            outbox.close()
            all.join()
        }
        assertTrue(outbox.watch().toList().isEmpty())
    }

    @Test
    fun `collectors that are slow, cancelled or forgotten hold up nobody`() = phone {
        val outbox = outbox()
        repeat(100) { outbox.watch() }
        coroutineScope {
            val stuck = List(100) {
                val began = CompletableDeferred<Unit>()
                began to launch { outbox.watch().collect { began.complete(Unit); awaitCancellation() } }
            }
            stuck.forEach { (began, _) -> began.await() }
            assertEquals(EntryState.PENDING, outbox.report(draft()).state)
            stuck.forEach { (_, collector) -> collector.cancelAndJoin() }
        }
    }

    @Test
    fun `the log has one line for each event`() = phone {
        val lines = mutableListOf<String>()
        val outbox = keep(Outbox.open(directory.resolve("log.db").toString(), "alice", log = lines::add))
        outbox.report(draft("Sekretariat"))
        outbox.sync({ UploadResult.NetworkFailure(NetworkFailureKind.OFFLINE) })
        assertEquals(listOf("sending 1", "no answer (there is no network): 0 settled, 0 quarantined, 1 pending"), lines.take(2))
        assertTrue(lines[2].matches(Regex("waiting until 20\\S+Z: there is no network")), lines[2])
    }

    @Test
    fun `a log that throws or calls the outbox harms nobody`() = phone {
        var outbox: Outbox? = null
        val offline = Transport { UploadResult.NetworkFailure(NetworkFailureKind.OFFLINE) }
        val log: (String) -> Unit = {
            runBlocking { outbox?.run { report(draft()); sync(offline) } }
            throw StackOverflowError("a bug in the app's log")
        }
        outbox = keep(Outbox.open(directory.resolve("log.db").toString(), "alice", log = log))
        outbox.report(draft())
        outbox.sync(offline)
        assertTrue(outbox.summary().pending > 1)
    }
}
