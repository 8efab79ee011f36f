package com.example.app

import android.os.Looper
import androidx.work.Configuration
import androidx.work.WorkInfo
import androidx.work.WorkManager
import androidx.work.WorkQuery
import androidx.work.impl.WorkManagerImpl
import androidx.work.impl.close
import incidentsync.Draft
import incidentsync.Outbox
import incidentsync.android.SyncWorker
import incidentsync.support.Server
import java.time.Duration
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Before
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

/** A device with the app on it, online, and with a WorkManager of its own, as after a start of the app. */
@RunWith(RobolectricTestRunner::class)
abstract class Device {
    @get:Rule
    val directory = TemporaryFolder()

    private val open = ArrayDeque<AutoCloseable>()
    protected val app: App get() = RuntimeEnvironment.getApplication() as App
    protected val network by lazy { Network(app) }

    @Before
    fun start() {
        network.comes()
        val manager = WorkManagerImpl(app, Configuration.Builder().build())
        WorkManagerImpl.setDelegate(manager)
        keep(AutoCloseable { manager.cancelAllWork().result.get(); manager.close() })
    }

    @After
    fun closeAll() {
        while (open.isNotEmpty()) open.removeLast().close()
    }

    protected fun <T : AutoCloseable> keep(it: T): T = it.also(open::addLast)

    /** A server, and the app signed in to it. */
    protected fun signedIn(): Server {
        val server = keep(Server(directory.root.toPath().resolve("server")))
        app.server = server.url
        app.signIn("alice", server.token("alice"))
        return server
    }

    protected fun <T> outbox(act: suspend Outbox.() -> T): T = runBlocking {
        Outbox.open(SyncWorker.outboxFile(app), app.reporter!!).use { it.act() }
    }

    protected fun report(): String =
        outbox { report(Draft(locationId = "ward-7", longitude = 12.4924, latitude = 41.8902)).key }

    /** What WorkManager has of the worker in one of these [states]. */
    protected fun works(vararg states: WorkInfo.State): List<WorkInfo> =
        WorkManager.getInstance(app).getWorkInfos(WorkQuery.fromStates(*states)).get()

    /** Lets the time of the device go on with that of the world until [condition] holds. */
    protected fun await(condition: () -> Boolean) {
        val end = System.nanoTime() + Duration.ofSeconds(20).toNanos()
        while (!condition()) {
            check(System.nanoTime() < end) { "in vain: ${works(*WorkInfo.State.values())}" }
            shadowOf(Looper.getMainLooper()).idleFor(20, TimeUnit.MILLISECONDS)
            Thread.sleep(20)
        }
    }
}
