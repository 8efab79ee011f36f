package incidentsync

import incidentsync.support.Phone
import java.io.RandomAccessFile
import java.nio.file.Files
import java.nio.file.Path
import java.time.Instant
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** Whatever an app or a disk does: a typed error, and the process lives on. */
class BadInputTest : Phone() {
    private val bad = Draft(
        locationId = " ",
        roomNumber = "r".repeat(65),
        longitude = 181.0,
        latitude = Double.NaN,
        createdAt = Instant.EPOCH.minusMillis(1),
        cancellationReason = "bell \u0007",
    )

    private fun violations(error: OutboxError.Invalid) = error.violations.map { it.pointer to it.code }

    @Test
    fun `a bad draft comes back with all its violations`() = phone {
        val outbox = outbox()
        val expected = listOf(
            "/locationId" to "blank",
            "/roomNumber" to "too-long",
            "/gpsCoordinates/coordinates/0" to "out-of-range",
            "/gpsCoordinates/coordinates/1" to "out-of-range",
            "/createdAt" to "timestamp",
            "/cancellationReason" to "control-character",
        )
        assertEquals(expected, violations(assertThrows { outbox.report(bad) }))
        assertEquals(expected, violations(assertThrows { validateDraft(bad) }))
        assertEquals(0L, outbox.summary().pending)
    }

    @Test
    fun `a moment beyond all reckoning is a violation like any other`() {
        for (moment in listOf(Instant.MIN, Instant.MAX)) {
            assertEquals(
                listOf("/createdAt" to "timestamp"),
                violations(assertThrows { validateDraft(draft(createdAt = moment)) }),
            )
        }
    }

    @Test
    fun `a bad reason is refused and the report stays as it was`() = phone {
        val outbox = outbox()
        val key = outbox.report(draft()).key
        assertEquals(listOf("/cancellationReason" to "blank"), violations(assertThrows { outbox.cancel(key, " ") }))
        outbox.cancel(key, "resolved")
        assertEquals("resolved", outbox.cancel(key, "resolved").cancellationReason)
        assertThrows<OutboxError.AlreadyCancelled> { outbox.cancel(key, "for another reason") }
    }

    @Test
    fun `half a surrogate pair is refused wherever it comes in`() = phone {
        val half = "ward \uD83D"
        val outbox = outbox()
        val key = outbox.report(draft("ward \uD83D\uDE91")).key
        assertThrows<OutboxError.Malformed> { outbox.report(draft(half)) }
        assertThrows<OutboxError.Malformed> { outbox.report(draft().copy(roomNumber = half)) }
        assertThrows<OutboxError.Malformed> { outbox.report(draft().copy(cancellationReason = half)) }
        assertThrows<OutboxError.Malformed> { outbox.cancel(key, half) }
        assertThrows<OutboxError.Malformed> { outbox.entry(half) }
        assertThrows<OutboxError.Malformed> { outbox.retry(half) }
        assertThrows<OutboxError.Malformed> { outbox.discard(half) }
        assertThrows<OutboxError.Malformed> { outbox(reporter = half) }
        assertThrows<OutboxError.Malformed> { validateDraft(draft(half)) }
        assertThrows<OutboxError.Malformed> { deriveKey(half, "2026-11-22T10:15:30Z") }
        assertThrows<OutboxError.Malformed> { canonicalPayload("""{"locationId":"\ud83d"}""".toByteArray()) }
        assertEquals("ward \uD83D\uDE91", outbox.entries().single().locationId)
    }

    @Test
    fun `half a surrogate pair in what a transport brings back harms nobody`() = phone {
        val half = "no way \uD83D"
        val outbox = outbox()
        outbox.report(draft())
        val failure = UploadResult.NetworkFailure(NetworkFailureKind.OTHER, half)
        val answer = UploadResult.Response(500, listOf(Header("X", half)), byteArrayOf())
        for (result in listOf(failure, answer)) {
            outbox.sync(transport = { result })
            outbox.networkChanged()
        }
        assertEquals(1, outbox.summary().pending)
    }

    @Test
    fun `an unknown key, a pending discard and a bad reporter have their own errors`() = phone {
        val outbox = outbox()
        val key = outbox.report(draft()).key
        assertThrows<OutboxError.NotFound> { outbox.entry("no key") }
        assertThrows<OutboxError.NotFound> { outbox.retry("01a202c0-f648-81b8-95f2-469ecf9e3f4e") }
        assertThrows<OutboxError.StillPending> { outbox.discard(key) }
        assertThrows<OutboxError.InvalidReporter> { outbox(reporter = "") }
        assertThrows<OutboxError.Malformed> { canonicalPayload("{".toByteArray()) }
        assertEquals(listOf("/createdAt" to "timestamp"), violations(assertThrows { deriveKey("alice", "soon") }))
    }

    @Test
    fun `settings that make no sense are refused`() = phone {
        val negative = listOf(OutboxSettings(settledForMs = -1), OutboxSettings(longestSpacingMs = -1))
        val crossed = OutboxSettings(shortestSpacingMs = 2, longestSpacingMs = 1)
        for (settings in negative + crossed) {
            val refused = assertThrows<OutboxError.InvalidArgument> { outbox(settings = settings) }
            assertTrue(Regex("negative|longer than").containsMatchIn(refused.detail), refused.detail)
        }
    }

    @Test
    fun `a closed outbox says so, and closes twice`() = phone {
        val outbox = outbox()
        val key = outbox.report(draft()).key
        outbox.close()
        outbox.close()
        assertThrows<OutboxError.Closed> { outbox.report(draft()) }
        assertThrows<OutboxError.Closed> { outbox.cancel(key, "resolved") }
        assertThrows<OutboxError.Closed> { outbox.entries() }
        assertThrows<OutboxError.Closed> { outbox.entry(key) }
        assertThrows<OutboxError.Closed> { outbox.summary() }
        assertThrows<OutboxError.Closed> { outbox.retry(key) }
        assertThrows<OutboxError.Closed> { outbox.discard(key) }
        assertThrows<OutboxError.Closed> { outbox.tokenChanged() }
        assertThrows<OutboxError.Closed> { outbox.sync({ error("sent") }) }
    }

    @Test
    fun `a file that is no outbox is moved aside and told`() = phone {
        val file = directory.resolve("outbox.db")
        val rubbish = ByteArray(20_000) { (it * 31).toByte() }
        Files.write(file, rubbish)

        val outbox = outbox()

        val recovery = outbox.summary().recovery!!
        assertEquals(0L, recovery.saved)
        assertArrayEquals(rubbish, Files.readAllBytes(Path.of(recovery.movedTo)))
        assertEquals(1, outbox.report(draft()).let { outbox.entries().size })
    }

    @Test
    fun `reports in a corrupt file are saved`() = phone {
        val file = directory.resolve("outbox.db")
        val before = outbox()
        val keys = List(20) { before.report(draft("ward-$it")).key }
        before.close()
        RandomAccessFile(file.toFile(), "rw").use { it.write(ByteArray(16)) }

        val outbox = outbox()

        assertEquals(20L, outbox.summary().recovery?.saved)
        assertEquals(keys.toSet(), outbox.entries().map { it.key }.toSet())
    }

    @Test
    fun `a file that cannot be opened is left alone`() = phone {
        assertThrows<OutboxError.Unavailable> { outbox(file = "no/such/directory/outbox.db") }
        assertThrows<OutboxError.Unavailable> { outbox(file = ".") }
        assertTrue(Files.isDirectory(directory))
    }

    @Test
    fun `a file of a newer version is refused and left alone`() = phone {
        val file = directory.resolve("outbox.db")
        outbox().close()
        // SQLite keeps `user_version` at offset 60 of the file (SQLite file format, section 1.3).
        RandomAccessFile(file.toFile(), "rw").use { it.seek(60); it.writeInt(1_000) }
        val before = Files.readAllBytes(file)

        assertThrows<OutboxError.NewerSchema> { outbox() }

        assertArrayEquals(before, Files.readAllBytes(file))
    }
}
