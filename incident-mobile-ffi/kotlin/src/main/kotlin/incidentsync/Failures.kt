// What an exception says about the network.
package incidentsync

import java.io.IOException
import java.io.InterruptedIOException
import java.net.ConnectException
import java.net.NoRouteToHostException
import java.net.UnknownHostException
import javax.net.ssl.SSLException

/** Enough for a line of a log. */
private const val LONGEST_DETAIL = 200

/** How the network failed; [sent] says whether the request may have left the device. */
internal fun IOException.toFailure(sent: Boolean, detail: String): UploadResult.NetworkFailure =
    UploadResult.NetworkFailure(kind(sent), detail, sent)

/** One line for a log: what lies between here and the network may have put the [token] into its exception. */
internal fun IOException.detail(token: String?): String {
    val text = "${javaClass.simpleName}: $message"
    val clean = if (token.isNullOrEmpty()) text else text.replace(token, "(token)")
    return clean.replace(Regex("\\s+"), " ").take(LONGEST_DETAIL)
}

private fun IOException.kind(sent: Boolean): NetworkFailureKind {
    val causes = generateSequence<Throwable>(this) { it.cause }.take(10).toList()
    fun says(words: String) = causes.any { it.message.orEmpty().contains(words, ignoreCase = true) }
    return when {
        causes.any { it is UnknownHostException || it is NoRouteToHostException } -> NetworkFailureKind.OFFLINE
        // Of the system's errors Java and Android tell the words alone.
        says("unreachable") -> NetworkFailureKind.OFFLINE
        causes.any { it is InterruptedIOException } || says("timed out") -> NetworkFailureKind.TIMED_OUT
        // Once there was a secure connection, an end of it is none of TLS's.
        !sent && causes.any { it is SSLException } -> NetworkFailureKind.TLS
        causes.any { it is ConnectException } -> NetworkFailureKind.REFUSED
        else -> NetworkFailureKind.OTHER
    }
}
