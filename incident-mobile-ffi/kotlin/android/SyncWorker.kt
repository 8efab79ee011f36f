// NOT COMPILED IN THIS PROJECT: needs the Android SDK and androidx.work:work-runtime (2.10 or later). Copy it into
// an app. WorkManager brings the schedule, the battery rules and the survival of a restart; the outbox all the rest.
package com.example.app

import android.content.Context
import androidx.work.BackoffPolicy
import androidx.work.Constraints
import androidx.work.CoroutineWorker
import androidx.work.ExistingWorkPolicy
import androidx.work.NetworkType
import androidx.work.OneTimeWorkRequestBuilder
import androidx.work.WorkManager
import androidx.work.WorkerParameters
import incidentsync.OkHttpTransport
import incidentsync.Outbox
import incidentsync.OutboxError
import incidentsync.SyncEnd
import java.time.Duration
import java.time.Instant
import java.util.concurrent.TimeUnit

class SyncWorker(context: Context, parameters: WorkerParameters) : CoroutineWorker(context, parameters) {
    // Where WorkManager stops the worker, its coroutine is cancelled, and `sync` hands the upload back.
    override suspend fun doWork(): Result {
        val session = (applicationContext as HasSession).session
        val reporter = session.reporter ?: return Result.success()
        val end = try {
            Outbox.open(outboxFile(applicationContext), reporter).use { outbox ->
                outbox.sync(OkHttpTransport(SERVER) { session.token() })
            }
        } catch (_: OutboxError.Unavailable) {
            return Result.retry()
        }
        when (end) {
            is SyncEnd.Wait -> schedule(applicationContext, end.until)
            SyncEnd.SignIn -> session.askToSignIn()
            SyncEnd.Idle -> Unit
        }
        return Result.success()
    }

    companion object {
        private const val SERVER = "https://incidents.example"

        /** To be called after every `report`, `cancel` and sign-in; and with the moment that a `Wait` gave. */
        fun schedule(context: Context, notBefore: Instant = Instant.now()) {
            val delay = Duration.between(Instant.now(), notBefore).coerceAtLeast(Duration.ZERO)
            val online = Constraints.Builder().setRequiredNetworkType(NetworkType.CONNECTED).build()
            val request = OneTimeWorkRequestBuilder<SyncWorker>()
                .setConstraints(online)
                .setInitialDelay(delay)
                .setBackoffCriteria(BackoffPolicy.EXPONENTIAL, 30, TimeUnit.SECONDS)
                .build()
            // APPEND_OR_REPLACE: a report made while a sync runs is not forgotten, and a sync is not cut short.
            WorkManager.getInstance(context)
                .enqueueUniqueWork("incident-sync", ExistingWorkPolicy.APPEND_OR_REPLACE, request)
        }

        /** Not in `cacheDir`, which the system empties; and in no backup, which would bring back what was sent. */
        fun outboxFile(context: Context): String = context.noBackupFilesDir.resolve("outbox.db").path
    }
}

/** What the app's `Application` has to have: its own sign-in. */
interface HasSession {
    val session: Session
}

interface Session {
    /** The `sub` of the token, or `null` where nobody is signed in. */
    val reporter: String?

    suspend fun token(): String?

    /** Shows a notification; after the sign-in the app calls [SyncWorker.schedule]. */
    fun askToSignIn()
}
