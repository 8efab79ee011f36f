package incidentsync.support

import incidentsync.Draft
import incidentsync.OkHttpTransport
import incidentsync.Outbox
import incidentsync.OutboxSettings
import java.nio.file.Path
import java.time.Instant
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.io.TempDir

/** A test with a directory, and outboxes and servers that end with it. */
abstract class Phone {
    @TempDir
    lateinit var directory: Path

    private val open = ArrayDeque<AutoCloseable>()

    @AfterEach
    fun closeAll() {
        while (open.isNotEmpty()) open.removeLast().close()
    }

    fun <T : AutoCloseable> keep(it: T): T = it.also(open::addLast)

    fun server(): Server = keep(Server(directory.resolve("server")))

    suspend fun outbox(
        reporter: String = "alice",
        file: String = "outbox.db",
        settings: OutboxSettings = OutboxSettings(),
    ): Outbox = keep(Outbox.open(directory.resolve(file).toString(), reporter, settings))

    fun transport(url: String, token: String?): OkHttpTransport = OkHttpTransport(url) { token }

    fun draft(locationId: String = "ward-7", createdAt: Instant? = null, isAnonymous: Boolean = false): Draft =
        Draft(
            locationId = locationId,
            longitude = 12.4924,
            latitude = 41.8902,
            isAnonymous = isAnonymous,
            createdAt = createdAt,
        )

    /** A test body that may suspend, and answers nothing, as JUnit wants it. */
    fun phone(act: suspend () -> Unit) = runBlocking { act() }
}
