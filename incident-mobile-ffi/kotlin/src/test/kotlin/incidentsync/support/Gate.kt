package incidentsync.support

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandlers
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.Executors

/** What stands between the phone and the server: each test says what it does with a request. */
class Gate(private val pass: (Passage) -> Unit) : AutoCloseable {
    private val threads = Executors.newCachedThreadPool()
    private val http = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)

    /** The paths that were asked for, in order. */
    val seen: ConcurrentLinkedQueue<String> = ConcurrentLinkedQueue()
    val url: String = "http://127.0.0.1:${http.address.port}"

    init {
        http.executor = threads
        http.createContext("/") { exchange ->
            seen += exchange.requestURI.path
            exchange.use { pass(Passage(it)) }
        }
        http.start()
    }

    override fun close() {
        http.stop(0)
        threads.shutdownNow()
    }
}

private fun HttpExchange.use(act: (HttpExchange) -> Unit) = try { act(this) } finally { close() }

/** One request at the gate. */
class Passage(private val exchange: HttpExchange) {
    val body: ByteArray = exchange.requestBody.readAllBytes()
    val path: String = exchange.requestURI.path
    /** From where it came: of one connection all requests have the same port. */
    val port: Int = exchange.remoteAddress.port
    val authorization: String? = exchange.requestHeaders.getFirst("Authorization")
    val cookie: String? = exchange.requestHeaders.getFirst("Cookie")

    /** Lets the request through to [server] and gives its answer without telling the phone. */
    fun swallow(server: String): Pair<Int, ByteArray> {
        val request = HttpRequest.newBuilder(URI(server + path)).POST(BodyPublishers.ofByteArray(body))
        for (name in listOf("Content-Type", "Authorization", "Idempotency-Key")) {
            exchange.requestHeaders.getFirst(name)?.let { request.header(name, it) }
        }
        val response = http.send(request.build(), BodyHandlers.ofByteArray())
        return response.statusCode() to response.body()
    }

    /** Lets the request through to [server] and its answer back. */
    fun forward(server: String) {
        val (status, body) = swallow(server)
        answer(status, body, "application/json")
    }

    fun answer(status: Int, body: ByteArray, type: String, vararg headers: Pair<String, String>) {
        exchange.responseHeaders["Content-Type"] = type
        headers.forEach { (name, value) -> exchange.responseHeaders[name] = value }
        exchange.sendResponseHeaders(status, if (body.isEmpty()) -1 else body.size.toLong())
        exchange.responseBody.write(body)
    }

    private companion object {
        val http: HttpClient = HttpClient.newHttpClient()
    }
}
