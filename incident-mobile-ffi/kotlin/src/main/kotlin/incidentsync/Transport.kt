package incidentsync

import java.io.IOException

/** Brings an upload to the server. [OkHttpTransport] is one; a test or another HTTP library may be another. */
public fun interface Transport {
    /**
     * Sends [upload] with a token added: no redirects, no silent repeats. Cancellable; it is cancelled when
     * [Upload.timeoutMs] have passed. An [IOException] counts as an [UploadResult.NetworkFailure] whose request may have
     * left; anything else that it throws hands the upload back to the queue and ends the sync.
     */
    @Throws(IOException::class)
    public suspend fun send(upload: Upload): UploadResult
}

/** What came of an upload. */
public sealed interface UploadResult {
    /** The server, or somebody in its place, answered. The queue reads the answer, whatever the status. */
    public class Response(
        public val status: Int,
        public val headers: List<Header>,
        public val body: ByteArray,
    ) : UploadResult

    /** No answer: no network, no address, a time-out, a broken connection. */
    public data class NetworkFailure(
        public val kind: NetworkFailureKind,
        /** For a log: never a token. */
        public val detail: String = "",
        /** Whether the request may have left the device. */
        public val sent: Boolean = false,
    ) : UploadResult

    /** The app did not want to wait for the answer. A sync ends with it. */
    public data object Cancelled : UploadResult
}
