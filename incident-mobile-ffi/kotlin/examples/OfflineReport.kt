// Reports without a network, calls one report off, and syncs: java … OfflineReportKt FILE SERVER REPORTER TOKEN
package incidentsync.examples

import incidentsync.Draft
import incidentsync.OkHttpTransport
import incidentsync.Outbox
import incidentsync.OutboxError
import incidentsync.SyncEnd

suspend fun main(arguments: Array<String>) {
    val (file, server, reporter, token) = arguments
    Outbox.open(file, reporter).use { outbox ->
        val fire = outbox.report(Draft(locationId = "ward-7", longitude = 12.4924, latitude = 41.8902))
        outbox.cancel(fire.key, "false alarm")
        try {
            outbox.report(Draft(locationId = " ", longitude = 200.0, latitude = 41.8902))
        } catch (error: OutboxError.Invalid) {
            error.violations.forEach { println("${it.pointer} ${it.code}") }
        }
        when (val end = outbox.sync(OkHttpTransport(server) { token }, { println("${it.pending} left") })) {
            is SyncEnd.Wait -> println("again at ${end.until}: ${end.why}")
            is SyncEnd.SignIn -> println("sign in, then tokenChanged()")
            SyncEnd.Idle -> println("all delivered: ${outbox.entry(fire.key).incident?.status}")
        }
    }
}
