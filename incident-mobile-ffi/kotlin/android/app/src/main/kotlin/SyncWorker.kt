// Of the aar. WorkManager brings the schedule, the battery rules and the survival of a restart; the outbox all the rest.
package incidentsync.android

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import android.util.Log
import androidx.work.BackoffPolicy
import androidx.work.Constraints
import androidx.work.CoroutineWorker
import androidx.work.Data
import androidx.work.ExistingWorkPolicy
import androidx.work.NetworkType
import androidx.work.OneTimeWorkRequestBuilder
import androidx.work.WorkInfo.State.BLOCKED
import androidx.work.WorkInfo.State.ENQUEUED
import androidx.work.WorkManager
import androidx.work.WorkerParameters
import androidx.work.workDataOf
import incidentsync.OkHttpTransport
import incidentsync.Outbox
import incidentsync.SyncEnd
import java.time.Duration
import java.time.Instant
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.CancellationException

/** Syncs the outbox of whoever is signed in, in the background. The app's `Application` is a [HasSession]. */
class SyncWorker(context: Context, parameters: WorkerParameters) : CoroutineWorker(context, parameters) {
    // Where WorkManager stops the worker, its coroutine is cancelled, and `sync` hands the upload back.
    override suspend fun doWork(): Result {
        val session = (applicationContext as HasSession).session
        val reporter = session.reporter ?: return Result.success()
        val end = try {
            Outbox.open(outboxFile(applicationContext), reporter).use { outbox ->
                if (inputData.getBoolean(NETWORK_CHANGED, false)) outbox.networkChanged()
                outbox.sync(OkHttpTransport(session.server) { session.token() })
            }
        } catch (stopped: CancellationException) {
            throw stopped
        } catch (error: Throwable) {
            // A file that the system holds back, a key store that is locked, a bug: all of it may pass, and nobody would
            // start this again. What went wrong is named, but not quoted: the app's own errors may hold anything.
            Log.w("incident-sync", "sync failed, again later: ${error.javaClass.name}")
            return Result.retry()
        }
        when (end) {
            is SyncEnd.Wait -> scheduleLater(applicationContext, end.until)
            is SyncEnd.SignIn -> session.askToSignIn()
            SyncEnd.Idle -> Unit
        }
        return Result.success()
    }

    companion object {
        /**
         * To be called after every `report`, `cancel`, `retry` and sign-in. A worker that has not begun will see it, so that a
         * day without a network makes one worker and no row of them. Behind one that runs stands another: a report made
         * then is not forgotten, and that sync is not cut short.
         */
        fun schedule(context: Context) {
            val scheduled = WorkManager.getInstance(context).getWorkInfosForUniqueWork(NOW)
            scheduled.addListener(
                {
                    val states = runCatching { scheduled.get().map { it.state } }.getOrDefault(emptyList())
                    if (ENQUEUED !in states && BLOCKED !in states) {
                        enqueue(context, NOW, ExistingWorkPolicy.APPEND_OR_REPLACE, Duration.ZERO)
                    }
                },
                { it.run() },
            )
        }

        /**
         * To be called once, in `Application.onCreate`: as long as the app runs, another network ends a wait at once.
         * Where it does not run, the wait ends with its time.
         */
        fun followNetwork(context: Context) {
            val changed = object : ConnectivityManager.NetworkCallback() {
                // A name of its own: a network that comes and goes makes one sync and no row of them.
                override fun onAvailable(network: Network) = enqueue(
                    context, "incident-sync-network", ExistingWorkPolicy.REPLACE, Duration.ZERO,
                    workDataOf(NETWORK_CHANGED to true),
                )
            }
            context.getSystemService(ConnectivityManager::class.java).registerDefaultNetworkCallback(changed)
        }

        /** A name of its own: what the app schedules does not queue behind a moment far away. */
        private fun scheduleLater(context: Context, until: Instant) {
            val delay = Duration.between(Instant.now(), until).coerceAtLeast(Duration.ZERO)
            enqueue(context, "incident-sync-later", ExistingWorkPolicy.REPLACE, delay)
        }

        private const val NOW = "incident-sync"

        private const val NETWORK_CHANGED = "network-changed"

        private fun enqueue(
            context: Context,
            name: String,
            policy: ExistingWorkPolicy,
            delay: Duration,
            input: Data = Data.EMPTY,
        ) {
            val online = Constraints.Builder().setRequiredNetworkType(NetworkType.CONNECTED).build()
            val request = OneTimeWorkRequestBuilder<SyncWorker>()
                .setConstraints(online)
                .setInitialDelay(delay)
                .setInputData(input)
                .setBackoffCriteria(BackoffPolicy.EXPONENTIAL, 30, TimeUnit.SECONDS)
                .build()
            WorkManager.getInstance(context).enqueueUniqueWork(name, policy, request)
        }

        /** Not in `cacheDir`, which the system empties; and in no backup, which would bring back what was sent. */
        fun outboxFile(context: Context): String = context.noBackupFilesDir.resolve("outbox.db").path
    }
}

/** What the app's `Application` has to have: its own sign-in. */
interface HasSession {
    val session: Session
}

/** The app's sign-in, as the worker needs it. */
interface Session {
    /** Such as `https://incidents.example`. */
    val server: String

    /** The `sub` of the token, or `null` where nobody is signed in. */
    val reporter: String?

    suspend fun token(): String?

    /** Shows a notification; after the sign-in the app calls [SyncWorker.schedule]. */
    fun askToSignIn()
}
