package com.example.reports

import android.app.AlertDialog
import android.content.DialogInterface
import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Looper
import android.view.View
import android.widget.EditText
import android.widget.ListView
import android.widget.TextView
import incidentsync.Outbox
import java.io.File
import java.time.Duration
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertTrue
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowAlertDialog

/** The app on a phone, its screen and a finger. */
class Phone : AutoCloseable {
    val app: SignedIn = RuntimeEnvironment.getApplication() as SignedIn
    private val screen by lazy { Robolectric.buildActivity(MainActivity::class.java).setup().visible() }
    private val list: ListView get() = view(R.id.list)

    fun <T : View> view(id: Int): T = screen.get().findViewById(id)

    fun press(id: Int) {
        // Of a switch, which turns itself, the answer is false.
        view<View>(id).performClick()
    }

    fun write(id: Int, text: String) = view<EditText>(id).setText(text)

    /** Touches a line of the list, and says yes to what is asked. */
    fun callOff(line: Int) {
        assertTrue(list.performItemClick(list.getChildAt(line), line, list.getItemIdAtPosition(line)))
        val question = ShadowAlertDialog.getLatestDialog() as AlertDialog
        question.getButton(DialogInterface.BUTTON_POSITIVE).performClick()
    }

    /** Lets the time of the phone go on with that of the world until the screen shows all these [words]. */
    fun shows(vararg words: String) {
        val end = System.nanoTime() + Duration.ofSeconds(30).toNanos()
        do {
            shadowOf(Looper.getMainLooper()).idleFor(Duration.ofMillis(20))
            check(System.nanoTime() < end) { "${words.toList()} in vain: ${texts()}" }
            Thread.sleep(20)
        } while (!words.all { word -> texts().any { word in it } })
    }

    /** What another process of the app would do with the same file. */
    fun <T> elsewhere(act: suspend Outbox.() -> T): T = runBlocking { app.open().use { it.act() } }

    /** The screen as Android's own code draws it. */
    fun draw(picture: File) {
        val window = screen.get().window.decorView
        val bitmap = Bitmap.createBitmap(window.width, window.height, Bitmap.Config.ARGB_8888)
        window.draw(Canvas(bitmap))
        picture.outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
    }

    private fun texts(): List<String> {
        val lines = List(list.childCount) { list.getChildAt(it) }
        val ofLines = lines.flatMap { listOf(android.R.id.text1, android.R.id.text2).map<Int, TextView>(it::findViewById) }
        return (listOf<TextView>(view(R.id.counts), view(R.id.words)) + ofLines).map { it.text.toString() }
    }

    override fun close() {
        screen.pause().stop().destroy()
    }
}
