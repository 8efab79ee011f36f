package incidentsync

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import incidentsync.generated.Outbox as Queue
import incidentsync.generated.OutboxLog
import incidentsync.generated.WatchStep
import incidentsync.generated.Watcher

/** Every change of the queue for each who collects; the end of the outbox is its end. */
internal fun watch(queue: Queue): Flow<Summary> =
    flow {
        val watcher = orNullIfClosed { queue.watch() } ?: return@flow
        watcher.use {
            while (true) {
                val step = it.step() ?: break
                step.summary?.let { summary -> emit(summary) }
                delay(step.againMs)
            }
        }
    }.conflate().flowOn(Dispatchers.IO)

private fun Watcher.step(): WatchStep? = orNullIfClosed { look() }

internal fun <T> orNullIfClosed(call: () -> T): T? =
    try {
        core(call)
    } catch (_: OutboxError.Closed) {
        null
    }

/** Gives the lines of the log to a function of the app. */
internal class Listener(private val take: (String) -> Unit) : OutboxLog {
    override fun line(line: String) {
        try {
            take(line)
        } catch (_: Throwable) {
            // Through the core nothing can be thrown, and whoever reports is not who writes the log.
        }
    }
}
