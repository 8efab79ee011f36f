package incidentsync

import java.io.IOException
import java.util.concurrent.TimeUnit
import kotlin.coroutines.EmptyCoroutineContext
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.suspendCancellableCoroutine
import okhttp3.Call
import okhttp3.ConnectionPool
import okhttp3.CookieJar
import okhttp3.Headers
import okhttp3.HttpUrl
import okhttp3.HttpUrl.Companion.toHttpUrl
import okhttp3.Interceptor
import okhttp3.MediaType
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody
import okio.BufferedSink

/**
 * Sends uploads with OkHttp to the server at [baseUrl], which may have a path.
 *
 * An address has a host, and may have a port and a path, but no user, query or fragment; anything else is an
 * [IllegalArgumentException].
 *
 * @param client whose proxy, certificates and interceptors are used, but none of its connections; redirects and silent
 *   repeats are switched off. A [RuntimeException] in it counts as no answer
 * @param token gives the bearer token for the next request, or `null` where nobody is signed in; a text that no header
 *   can carry is no token either: the server then asks to sign in. An [IOException] in it counts as no network; one that
 *   does not heed that it is cancelled, because it blocks its thread, holds the sync up for as long
 */
public class OkHttpTransport(
    baseUrl: String,
    client: OkHttpClient = OkHttpClient(),
    private val token: suspend () -> String?,
) : Transport {
    private val base: HttpUrl = baseUrl.toHttpUrl()

    init {
        // Without the address itself: there may be a password in it.
        require(base.username.isEmpty() && base.password.isEmpty()) { "an address has no user in it" }
        require(base.query == null && base.fragment == null) { "an address has no query and no fragment" }
    }

    // How long an upload may take is the queue's word, and `sync` holds to it.
    @Volatile
    private var client: OkHttpClient =
        client.newBuilder()
            .retryOnConnectionFailure(false)
            .followRedirects(false)
            .followSslRedirects(false)
            .readTimeout(0, TimeUnit.MILLISECONDS)
            .writeTimeout(0, TimeUnit.MILLISECONDS)
            .callTimeout(0, TimeUnit.MILLISECONDS)
            .addNetworkInterceptor(Connected)
            .connectionPool(connections())
            .build()

    override suspend fun send(upload: Upload): UploadResult {
        val way = (currentCoroutineContext()[Way] ?: Way()).also { it.isTold = true }
        val token = try {
            token()
        } catch (error: IOException) {
            // The app's own, whose words may hold anything; nothing has left.
            return error.toFailure(sent = false, detail = error.javaClass.simpleName)
        }
        val call = clientFor(upload).newCall(request(upload, token, way))
        var isAnswered = false
        return try {
            call.await().also { isAnswered = true }
        } catch (error: IOException) {
            error.toFailure(way.mayHaveLeft, error.detail(token))
        } finally {
            // It may be dead, and of HTTP/2 a request that is given up leaves it in the pool.
            if (!isAnswered) client = client.newBuilder().connectionPool(connections()).build()
        }
    }

    /**
     * An anonymous report goes on a connection of its own, out of a pool that nothing was in and nothing stays in, and
     * without the cookies by which whoever gave them would know whose it is.
     */
    private fun clientFor(upload: Upload): OkHttpClient {
        val isApart = upload.headers.any { it.name.equals("Connection", ignoreCase = true) && it.value == "close" }
        if (!isApart) return client
        return client.newBuilder()
            .connectionPool(ConnectionPool(0, 1, TimeUnit.MILLISECONDS))
            .cookieJar(CookieJar.NO_COOKIES)
            .build()
    }

    private fun request(upload: Upload, token: String?, way: Way): Request {
        val headers = Headers.Builder()
        upload.headers.forEach { headers.add(it.name, it.value) }
        // An answer that is packed could be a thousand times as long as what was read of it.
        headers["Accept-Encoding"] = "identity"
        // OkHttp would refuse a line feed or an umlaut with an exception that quotes the token.
        if (token != null && VISIBLE.matches(token)) headers["Authorization"] = "Bearer $token"
        return Request.Builder()
            .url(base.toString().trimEnd('/') + upload.path)
            .headers(headers.build())
            .method(upload.method, OneShot(upload.body))
            .tag(Way::class.java, way)
            .build()
    }
}

/**
 * A body that OkHttp does not send a second time, whatever the answer (503 with `Retry-After: 0` would be a reason);
 * its media type is among the upload's headers.
 */
private class OneShot(private val bytes: ByteArray) : RequestBody() {
    override fun contentType(): MediaType? = null

    override fun contentLength(): Long = bytes.size.toLong()

    override fun isOneShot(): Boolean = true

    override fun writeTo(sink: BufferedSink) {
        sink.write(bytes)
    }
}

/**
 * Stands between the connection and the request, which may have left from here on. Without its `tcpNoDelay` the last part
 * of a long body waits for the receipt of the part before (Nagle's algorithm), 40 ms or more an upload: two thirds of the
 * time of a long queue.
 */
private object Connected : Interceptor {
    override fun intercept(chain: Interceptor.Chain): okhttp3.Response {
        chain.request().tag(Way::class.java)?.hasLeft = true
        chain.connection()?.socket()?.tcpNoDelay = true
        return chain.proceed(chain.request())
    }
}

/**
 * Where the uploads of one sync find their connection, and those of the next one none that a server or a router has
 * forgotten meanwhile: OkHttp would take one for alive for ten seconds, and without a time-out for ever.
 */
private fun connections() = ConnectionPool(1, 1, TimeUnit.SECONDS)

/** The answer to a full batch stays far below. A longer one is not read on and comes without its body: it is not ours. */
private const val LONGEST_ANSWER = 1024L * 1024

private val VISIBLE = Regex("[!-~]+")

/**
 * Blocks a thread that is one for that, and none of OkHttp's own, which keep a program alive for a minute. Who is cancelled
 * does not wait for it: the lookup of a name heeds nothing. What that thread brings later goes nowhere.
 */
private suspend fun Call.await(): UploadResult = suspendCancellableCoroutine { continuation ->
    continuation.invokeOnCancellation { cancel() }
    Dispatchers.IO.dispatch(EmptyCoroutineContext) { continuation.resumeWith(runCatching { answer() }) }
}

/** What OkHttp cannot read it leaves with exceptions of many kinds: a status below zero, a body of a negative length. */
private fun Call.answer(): UploadResult =
    try {
        execute().use { it.read() }
    } catch (stopped: CancellationException) {
        throw stopped
    } catch (odd: RuntimeException) {
        throw IOException(odd.toString(), odd)
    }

private fun okhttp3.Response.read(): UploadResult {
    val source = body.source()
    val bytes = if (source.request(LONGEST_ANSWER + 1)) byteArrayOf() else source.readByteArray()
    return UploadResult.Response(code, headers.map { (name, value) -> Header(name, value) }, bytes)
}
