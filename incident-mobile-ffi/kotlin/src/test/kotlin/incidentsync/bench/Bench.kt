// What the outbox costs through Kotlin; prints one JSON object.
package incidentsync.bench

import incidentsync.Draft
import incidentsync.OkHttpTransport
import incidentsync.Outbox
import incidentsync.SyncEnd
import incidentsync.support.Server
import java.nio.file.Path
import java.util.Locale
import kotlin.io.path.createTempDirectory
import kotlin.time.DurationUnit
import kotlin.time.measureTime
import kotlinx.coroutines.runBlocking

private const val ENTRIES = 10_000
private const val OPENINGS = 21
private const val ROUNDS = 3

private class Round(val reportsMs: List<Double>, val opensMs: List<Double>, val deliverS: Double)

fun main() = runBlocking {
    val directory = createTempDirectory("incident-sync-bench")
    try {
        val rounds = Server(directory.resolve("server")).use { server ->
            List(ROUNDS) { round(directory.resolve("outbox-$it.db"), server, "reporter-$it") }
        }
        val figures = linkedMapOf(
            "report_median_ms" to median(rounds.flatMap { it.reportsMs }),
            "open_10000_median_ms" to median(rounds.flatMap { it.opensMs }),
            "deliver_10000_median_s" to median(rounds.map { it.deliverS }),
        )
        println(figures.entries.joinToString(", ", "{", "}") { (name, value) -> "\"$name\": ${number(value)}" })
    } finally {
        check(directory.toFile().deleteRecursively())
    }
}

private suspend fun round(file: Path, server: Server, reporter: String): Round {
    val reports = Outbox.open(file.toString(), reporter).use { outbox ->
        List(ENTRIES) { at ->
            timed { outbox.report(Draft(locationId = "ward-$at", longitude = 12.4924, latitude = 41.8902)) }
        }
    }
    val opens = List(OPENINGS) {
        lateinit var outbox: Outbox
        timed { outbox = Outbox.open(file.toString(), reporter) }.also { outbox.close() }
    }
    val token = server.token(reporter)
    val deliverMs = Outbox.open(file.toString(), reporter).use { outbox ->
        timed { check(outbox.sync(OkHttpTransport(server.url) { token }) == SyncEnd.Idle) }
    }
    check(server.incidents(reporter).size == ENTRIES)
    return Round(reports, opens, deliverMs / 1_000)
}

private suspend fun timed(act: suspend () -> Unit): Double =
    measureTime { act() }.toDouble(DurationUnit.MILLISECONDS)

private fun median(values: List<Double>): Double = values.sorted()[values.size / 2]

private fun number(value: Double) = String.format(Locale.ROOT, "%.3f", value)
