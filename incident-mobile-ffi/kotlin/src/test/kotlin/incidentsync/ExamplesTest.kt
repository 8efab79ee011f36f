package incidentsync

import incidentsync.support.Phone
import incidentsync.support.java
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** The examples run as they stand, as programs of their own. */
class ExamplesTest : Phone() {
    @Test
    fun `the offline report`() {
        val server = server()
        val file = directory.resolve("outbox.db").toString()
        val example = "incidentsync.examples.OfflineReportKt"
        val program = java(example, file, server.url, "alice", server.token("alice")).start()

        assertEquals(
            listOf(
                "/locationId blank",
                "/gpsCoordinates/coordinates/0 out-of-range",
                "0 left",
                "all delivered: CANCELLED",
            ),
            program.inputStream.bufferedReader().readLines(),
        )
        assertEquals(0, program.waitFor())
    }
}
