package incidentsync

import incidentsync.generated.NextUpload
import java.io.IOException
import java.time.Instant
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.isActive
import kotlinx.coroutines.withTimeoutOrNull
import incidentsync.generated.Outbox as Queue
import incidentsync.generated.UploadResult as CoreResult

/** Why a sync ended. */
public sealed interface SyncEnd {
    /** There is more to send, but not before [until]: schedule the next sync for then. */
    public data class Wait(public val until: Instant, public val why: WaitReason) : SyncEnd

    /** The token is at fault: get another one, call [Outbox.tokenChanged] and sync again. */
    public data object SignIn : SyncEnd

    /** Nothing is left to send. */
    public data object Idle : SyncEnd
}

/** The loop: what the queue wants sent is sent, and what came of it handed back, until the queue wants no more. */
internal suspend fun runSync(
    queue: Queue,
    transport: Transport,
    progress: suspend (Progress) -> Unit,
): SyncEnd {
    while (true) {
        currentCoroutineContext().ensureActive()
        when (val next = core { queue.nextUpload() }) {
            is NextUpload.Send -> progress(deliver(queue, next.upload, transport))
            is NextUpload.Wait -> return SyncEnd.Wait(Instant.ofEpochMilli(next.untilMs), next.why)
            NextUpload.SignIn -> return SyncEnd.SignIn
            NextUpload.Idle -> return SyncEnd.Idle
        }
    }
}

/**
 * Between `nextUpload` and `completeUpload` nothing suspends but the transport, so that no cancellation can come
 * in between and leave an upload under way that nobody completes.
 */
private suspend fun deliver(queue: Queue, upload: Upload, transport: Transport): Progress {
    val result =
        try {
            withTimeoutOrNull(upload.timeoutMs) { transport.send(upload) } ?: UploadResult.NetworkFailure
        } catch (_: IOException) {
            UploadResult.NetworkFailure
        } catch (failure: Throwable) {
            if (!isTransportsOwnTimeout(failure)) {
                runCatching { queue.completeUpload(upload.id, CoreResult.Cancelled) }
                    .onFailure(failure::addSuppressed)
                throw failure
            }
            UploadResult.NetworkFailure
        }
    return core { queue.completeUpload(upload.id, result.toCore()) }
}

private suspend fun isTransportsOwnTimeout(failure: Throwable): Boolean =
    failure is TimeoutCancellationException && currentCoroutineContext().isActive

private fun UploadResult.toCore(): CoreResult =
    when (this) {
        is UploadResult.Response -> CoreResult.Response(status.toLong(), headers, body)
        UploadResult.NetworkFailure -> CoreResult.NetworkFailure
        UploadResult.Cancelled -> CoreResult.Cancelled
    }
