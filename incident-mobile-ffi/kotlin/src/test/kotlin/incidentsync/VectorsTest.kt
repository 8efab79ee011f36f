package incidentsync

import incidentsync.support.Phone
import java.io.File
import java.time.Instant
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.double
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** The known answers of the contract, through Kotlin: the same bytes and keys as in every other language. */
class VectorsTest : Phone() {
    private fun vectors(file: String, section: String) =
        Json.parseToJsonElement(File("../../incident-core/tests/vectors/$file").readText())
            .jsonObject.getValue(section).jsonArray.also { assertTrue(it.isNotEmpty()) }

    private fun JsonObject.text(name: String) = getValue(name).jsonPrimitive.content

    @Test
    fun `every key vector gives its key`() {
        for (vector in vectors("keys.json", "keys").map { it.jsonObject }) {
            assertEquals(vector.text("idempotencyKey"), deriveKey(vector.text("reporter"), vector.text("createdAt")))
        }
    }

    @Test
    fun `a report at the moment of a key vector has its key`() = phone {
        vectors("keys.json", "keys").map { it.jsonObject }.forEachIndexed { at, vector ->
            val createdAt = Instant.ofEpochMilli(vector.getValue("unixMilliseconds").jsonPrimitive.long)
            val entry = outbox(vector.text("reporter"), "$at.db").report(draft(createdAt = createdAt))
            assertEquals(deriveKey(vector.text("reporter"), entry.createdAt.toString()), entry.key)
            // A whole second gets milliseconds at random: three tablets must not make one name.
            if (createdAt.nano == 0) {
                assertEquals(createdAt.epochSecond, entry.createdAt.epochSecond)
            } else {
                assertEquals(vector.text("idempotencyKey"), entry.key)
            }
        }
    }

    @Test
    fun `every refused timestamp is refused`() {
        for (vector in vectors("keys.json", "refusedTimestamps")) {
            val refused = assertThrows<OutboxError.Invalid> { deriveKey("alice", vector.jsonPrimitive.content) }
            assertEquals(listOf("timestamp"), refused.violations.map { it.code })
        }
    }

    @Test
    fun `every accepted payload has its canonical bytes and its warnings`() {
        for (vector in vectors("payloads.json", "accepted").map { it.jsonObject }) {
            val canonical = canonicalPayload(vector.text("payload").toByteArray())
            val ignored = vector["ignored"]?.jsonArray?.map { it.jsonPrimitive.content }.orEmpty()
            assertArrayEquals(vector.text("canonical").toByteArray(), canonical.text.toByteArray())
            assertEquals(ignored, canonical.ignored)
        }
    }

    @Test
    fun `a draft of an accepted payload has its canonical bytes`() {
        for (vector in vectors("payloads.json", "accepted").map { it.jsonObject }) {
            val canonical = vector.text("canonical")
            assertArrayEquals(canonical.toByteArray(), validateDraft(draftOf(canonical)).toByteArray())
        }
    }

    @Test
    fun `every refused payload is refused with all its violations`() {
        for (vector in vectors("payloads.json", "refused").map { it.jsonObject }) {
            val refused = assertThrows<OutboxError.Invalid> { canonicalPayload(vector.text("payload").toByteArray()) }
            val errors = vector.getValue("errors").jsonArray.map { it.jsonObject }
            val expected = errors.map { it.text("pointer") to it.text("code") }
            assertEquals(expected, refused.violations.map { it.pointer to it.code })
        }
    }

    private fun draftOf(canonical: String): Draft {
        val payload = Json.parseToJsonElement(canonical).jsonObject
        val (longitude, latitude) = payload.getValue("gpsCoordinates").jsonObject.getValue("coordinates").jsonArray
        return Draft(
            locationId = payload.text("locationId"),
            roomNumber = payload["roomNumber"]?.jsonPrimitive?.content,
            longitude = longitude.jsonPrimitive.double,
            latitude = latitude.jsonPrimitive.double,
            isAnonymous = payload.getValue("isAnonymous").jsonPrimitive.boolean,
            createdAt = Instant.parse(payload.text("createdAt")),
            cancellationReason = payload["cancellationReason"]?.jsonPrimitive?.content,
        )
    }
}
