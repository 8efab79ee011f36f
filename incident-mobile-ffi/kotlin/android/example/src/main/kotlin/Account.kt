package com.example.reports

import android.app.Application
import incidentsync.NetworkFailureKind
import incidentsync.OkHttpTransport
import incidentsync.Outbox
import incidentsync.Transport
import incidentsync.Upload
import incidentsync.UploadResult

/** Who reports, and where to: as `res/values/account.xml` says. An app has its sign-in here. */
open class Account : Application() {
    protected open val server: String get() = getString(R.string.server)
    protected open val token: String get() = getString(R.string.token)
    val reporter: String get() = getString(R.string.reporter)
    val network: Network by lazy { Network(OkHttpTransport(server) { token }) }

    /** Not in `cacheDir`, which the system empties; and in no backup, which would bring back what was sent. */
    val file: String get() = noBackupFilesDir.resolve("outbox.db").path

    suspend fun open(): Outbox = Outbox.open(file, reporter)
}

/** The way to the server, with a switch. */
class Network(private val web: Transport) : Transport {
    @Volatile
    var isAirplane: Boolean = false

    override suspend fun send(upload: Upload): UploadResult =
        if (isAirplane) UploadResult.NetworkFailure(NetworkFailureKind.OFFLINE, "airplane mode") else web.send(upload)
}
