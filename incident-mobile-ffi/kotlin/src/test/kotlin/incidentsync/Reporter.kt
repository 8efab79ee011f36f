package incidentsync

/** Another process: reports once into the file given as argument. */
suspend fun main(arguments: Array<String>) {
    Outbox.open(arguments.single(), "alice").use { it.report(Draft("ward-7", longitude = 1.0, latitude = 2.0)) }
}
