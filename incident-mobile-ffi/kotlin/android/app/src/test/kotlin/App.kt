package com.example.app

import android.app.Application
import incidentsync.android.HasSession
import incidentsync.android.Session
import java.util.concurrent.CountDownLatch

/** The app of the tests: somebody who is signed in, or not. */
class App : Application(), HasSession, Session {
    override val session: Session = this
    override var reporter: String? = null
    override var server: String = ""
    var token: String? = null
    val asked = CountDownLatch(1)

    fun signIn(reporter: String, token: String) {
        this.reporter = reporter
        this.token = token
    }

    /** What stands in the way of a token, such as a key store that is locked. */
    var failure: Throwable? = null

    override suspend fun token(): String? = failure?.let { throw it } ?: token

    override fun askToSignIn() = asked.countDown()
}
