package com.example.reports

import incidentsync.Draft
import incidentsync.support.Server
import java.io.File
import javax.imageio.ImageIO
import kotlinx.serialization.json.jsonPrimitive
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.GraphicsMode

/** The app as its user has it, on Android's own code, against the real server. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ScreenTest {
    @get:Rule
    val directory = TemporaryFolder()

    @Test
    fun `the screen follows what its buttons and another process do`() = on(Server(directory.newFolder().toPath())) { server ->
        shows("0 to go")
        press(R.id.airplane)
        write(R.id.place, "ward-7")
        write(R.id.room, "12B")
        press(R.id.report)
        shows("1 to go", "ward-7, 12B", "pending")

        press(R.id.sync)
        shows("again at", "there is no network")
        press(R.id.report)
        shows("locationId must not be blank")

        press(R.id.airplane)
        press(R.id.sync)
        shows("0 to go · 1 settled", "all delivered", "open")
        elsewhere { report(Draft(locationId = "from elsewhere", longitude = 12.4924, latitude = 41.8902)) }
        shows("1 to go", "from elsewhere")

        callOff(line = 1)
        shows("2 to go", "pending, called off")
        press(R.id.sync)
        shows("2 settled", "cancelled")
        assertEquals(
            setOf("ward-7" to "Cancelled", "from elsewhere" to "Open"),
            server.incidents("alice").map { it["locationId"]!!.jsonPrimitive.content to it["status"]!!.jsonPrimitive.content }.toSet(),
        )
    }

    @Test
    fun `the screen is drawn`() = on(Server(directory.newFolder().toPath())) {
        shows("0 to go")
        listOf("ward-7", "gate 3", "library, first floor").forEach { place ->
            write(R.id.place, place)
            press(R.id.report)
            shows(place)
        }
        press(R.id.sync)
        shows("3 settled", "all delivered")
        callOff(line = 0)
        shows("1 to go")
        press(R.id.airplane)
        press(R.id.sync)
        shows("again at")
        write(R.id.place, "stairs, north")
        write(R.id.room, "2")

        val picture = File("target/screen.png").also(::draw)

        assertTrue("one colour is no screen", coloursOf(picture) > 20)
        if (System.getenv("DRAW_PICTURES") != null) picture.copyTo(File("screen.png"), overwrite = true)
    }

    private fun on(server: Server, act: Phone.(Server) -> Unit) = server.use {
        val phone = Phone()
        phone.app.server = server.url
        phone.app.token = server.token("alice")
        phone.use { it.act(server) }
    }

    private fun coloursOf(picture: File): Int {
        val image = ImageIO.read(picture)
        return image.getRGB(0, 0, image.width, image.height, null, 0, image.width).toSet().size
    }
}
