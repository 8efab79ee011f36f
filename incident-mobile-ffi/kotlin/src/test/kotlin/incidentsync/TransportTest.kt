package incidentsync

import incidentsync.support.Gate
import incidentsync.support.Phone
import okhttp3.Cookie
import okhttp3.CookieJar
import okhttp3.HttpUrl
import okhttp3.OkHttpClient
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** What OkHttp would do by itself is switched off: one upload is one request. */
class TransportTest : Phone() {
    private val upload = Upload(
        id = 1,
        method = "POST",
        path = "/api/incidents/sync",
        headers = listOf(Header("Content-Type", "application/json")),
        body = "{}".toByteArray(),
        timeoutMs = 30_000,
    )

    private suspend fun send(gate: Gate, path: String = "") =
        assertInstanceOf(UploadResult.Response::class.java, transport(gate.url + path, "token").send(upload))

    @Test
    fun `a redirect is an answer`() = phone {
        for (status in listOf(301, 302, 303, 307, 308)) {
            val gate = keep(Gate { it.answer(status, byteArrayOf(), "text/plain", "Location" to "/elsewhere") })
            assertEquals(status, send(gate).status)
            assertEquals(listOf(upload.path), gate.seen.toList())
        }
    }

    @Test
    fun `an address with a user, a query or a fragment is refused without its words`() {
        for (address in listOf("https://alice:pw@host", "https://host?a=b", "https://host/#f")) {
            val refused = assertThrows<IllegalArgumentException> { OkHttpTransport(address) { null } }
            assertTrue(listOf("host", "alice", "pw").none { it in "$refused" }, "$refused")
        }
    }

    @Test
    fun `a busy server is asked once`() = phone {
        for (status in listOf(408, 421, 503)) {
            val gate = keep(Gate { it.answer(status, byteArrayOf(), "text/plain", "Retry-After" to "0") })
            assertEquals(status, send(gate).status)
            assertEquals(1, gate.seen.size)
        }
    }

    @Test
    fun `body, media type and token arrive as they are, below the path of the address`() = phone {
        var body = byteArrayOf()
        val gate = keep(Gate { body = it.body; it.answer(200, "ok".toByteArray(), "text/plain", "X-Any" to "thing") })
        val response = send(gate, "/tenant/")
        assertArrayEquals(upload.body, body)
        assertEquals(listOf("/tenant/api/incidents/sync"), gate.seen.toList())
        assertEquals("ok", response.body.decodeToString())
        assertTrue(response.headers.any { it.name.equals("x-any", ignoreCase = true) && it.value == "thing" })
    }

    @Test
    fun `an anonymous report goes on a connection of its own`() = phone {
        val ports = mutableListOf<Int>()
        val gate = keep(Gate { ports += it.port; it.answer(200, "ok".toByteArray(), "text/plain") })
        val transport = transport(gate.url, "token")
        val apart = upload.copy(headers = upload.headers + Header("Connection", "close"))
        for (next in listOf(upload, apart, upload)) transport.send(next)
        val (before, alone, after) = ports
        assertEquals(before, after)
        assertTrue(alone != before, "$ports")
    }

    @Test
    fun `an anonymous report goes without the app's cookies, and brings none`() = phone {
        val kept = mutableListOf<Cookie>()
        val jar = object : CookieJar {
            override fun saveFromResponse(url: HttpUrl, cookies: List<Cookie>) = kept.plusAssign(cookies)

            override fun loadForRequest(url: HttpUrl): List<Cookie> = kept.toList()
        }
        val told = mutableListOf<String?>()
        val gate = keep(
            Gate { told += it.cookie; it.answer(200, byteArrayOf(), "text/plain", "Set-Cookie" to "visitor=${told.size}") },
        )
        val transport = OkHttpTransport(gate.url, OkHttpClient.Builder().cookieJar(jar).build()) { "token" }

        transport.send(upload)
        transport.send(upload.copy(headers = upload.headers + Header("Connection", "close")))

        assertEquals(listOf<String?>(null, null), told)
        assertEquals(listOf("1"), kept.map { it.value })
    }

    @Test
    fun `an answer of the longest length is read, and a longer one is not`() = phone {
        val longest = 1024 * 1024
        for ((length, read) in listOf(longest to longest, longest + 1 to 0, 9_000_000 to 0)) {
            val gate = keep(Gate { it.answer(200, ByteArray(length), "application/octet-stream") })
            assertEquals(read, send(gate).body.size)
        }
    }

    @Test
    fun `an answer that is too long is waited for like a portal's`() = phone {
        val outbox = outbox()
        val key = outbox.report(draft()).key
        val settled = """{"disposition":"settled","idempotencyKey":"$key"}""" + " ".repeat(1024 * 1024)
        val gate = keep(Gate { it.answer(201, settled.toByteArray(), "application/json") })

        val end = assertInstanceOf(SyncEnd.Wait::class.java, outbox.sync(transport(gate.url, "token")))

        assertEquals(WaitReason.NOT_THE_SERVER, end.why)
        assertEquals(EntryState.PENDING, outbox.entry(key).state)
        assertEquals(0, outbox.entry(key).attempts)
    }

    @Test
    fun `a token that no header can carry is none, and is told to nobody`() = phone {
        for (token in listOf("secret\n", "secret\r\nX: y", "s\u00e9cret", "secret\ud800", " secret", "")) {
            val outbox = outbox(file = "${token.hashCode()}.db")
            outbox.report(draft())
            val told = mutableListOf<String?>()
            val gate = keep(Gate { told += it.authorization; it.answer(401, byteArrayOf(), "text/plain") })
            assertInstanceOf(SyncEnd.SignIn::class.java, outbox.sync(transport(gate.url, token)))
            assertEquals(listOf<String?>(null), told)
        }
    }
}
