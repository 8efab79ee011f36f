package incidentsync.support

import java.io.File
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** The real server, as a process on a free port; its data outlives it in [directory]. */
class Server(private val directory: Path) : AutoCloseable {
    private val process: Process
    val url: String

    init {
        val flags = listOf("--listen", "127.0.0.1:0", "--rate-limit", "off", "--payload-rate-limit", "off")
        process = start(flags)
        val words = process.inputStream.bufferedReader()
        val first = words.readLine() ?: error("the server says nothing")
        url = first.substringAfter("incident-server listens on ", "").trim()
        check(url.startsWith("http://")) { "unexpected first line: $first" }
        // Nobody reads on; a full pipe must not stop it.
        thread(isDaemon = true) { runCatching { words.forEachLine { } } }
    }

    /** A token for [reporter]. */
    fun token(reporter: String, scope: String? = null): String {
        val words = listOf("token", "--sub", reporter) + (scope?.let { listOf("--scope", it) } ?: emptyList())
        return start(words).inputStream.bufferedReader().readText().trim()
    }

    /** What [reporter] sees of their own incidents, newest first. */
    fun incidents(reporter: String): List<JsonObject> {
        val token = token(reporter)
        val all = mutableListOf<JsonObject>()
        var cursor: String? = ""
        while (cursor != null) {
            val page = get("/api/incidents?limit=200" + if (cursor.isEmpty()) "" else "&cursor=$cursor", token)
            all += page.getValue("incidents").jsonArray.map { it.jsonObject }
            cursor = page["nextCursor"]?.jsonPrimitive?.content
        }
        return all
    }

    /** The kinds of the events of one incident, oldest first. */
    fun history(id: String, reporter: String): List<String> =
        get("/api/incidents/$id/history", token(reporter)).getValue("events").jsonArray
            .map { it.jsonObject.getValue("kind").jsonPrimitive.content }

    private fun get(path: String, token: String): JsonObject {
        val request = HttpRequest.newBuilder(URI(url + path)).header("Authorization", "Bearer $token").build()
        val response = http.send(request, BodyHandlers.ofString())
        check(response.statusCode() == 200) { "GET $path: ${response.statusCode()} ${response.body()}" }
        return Json.parseToJsonElement(response.body()).jsonObject
    }

    private fun start(arguments: List<String>): Process =
        ProcessBuilder(listOf(binary.path) + arguments + listOf("--data-dir", directory.toString()))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start()

    /** Kills it as a power cut would: SIGKILL. */
    fun kill() {
        process.destroyForcibly().waitFor()
    }

    override fun close() {
        process.destroy()
        check(process.waitFor(20, TimeUnit.SECONDS)) { "the server does not end" }
    }

    private companion object {
        val http: HttpClient = HttpClient.newHttpClient()

        val binary: File by lazy {
            val named = System.getenv("INCIDENT_SERVER_BIN") ?: "../../target/release/incident-server"
            File(named).also { check(it.canExecute()) { "no server binary at ${it.absolutePath}" } }
        }
    }
}
