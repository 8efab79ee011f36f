package com.example.reports

import com.android.apksig.ApkVerifier
import java.io.File
import java.util.zip.ZipFile
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.BeforeClass
import org.junit.Test

/** What a phone would install. No phone is here: what is said of it is what can be read of the file. */
class ApkTest {
    @Test
    fun `the app becomes a signed APK for Android 8 and later`() {
        assertEquals(emptyList<String>(), build.warnings.all)
        val verified = ApkVerifier.Builder(apk).build().verify()
        assertTrue("${verified.errors}", verified.isVerified)
        val words = aapt2("dump", "badging", apk.path)
        val wanted = listOf("name='com.example.reports'", "Version:'26'", "launchable-activity: name='com.example.reports.MainActivity'")
        assertEquals(emptyList<String>(), wanted.filterNot { it in words })
        assertTrue("com.example.reports.MainActivity -> com.example.reports.MainActivity:" in build.map.readText())
    }

    @Test
    fun `its libraries lie where a phone with pages of 16 KB maps them`() {
        val libraries = ZipFile(apk).use { zip -> zip.entries().toList().filter { it.name.endsWith(".so") } }

        assertEquals(setOf("libincident_mobile_ffi.so", "libjnidispatch.so"), libraries.map { File(it.name).name }.toSet())
        for (library in libraries) {
            assertEquals(library.name, library.size, library.compressedSize)
            assertEquals(library.name, 0L, beginOf(library.name) % 16_384)
        }
    }

    /** Where the bytes of an entry begin: behind its header, its name and its extra field (APPNOTE.TXT, section 4.3.7). */
    private fun beginOf(name: String): Long {
        val bytes = apk.readBytes()
        val header = byteArrayOf(0x50, 0x4b, 3, 4)
        val at = (0 until bytes.size - 30).first { at ->
            header.indices.all { bytes[at + it] == header[it] } && String(bytes, at + 30, short(bytes, at + 26)) == name
        }
        return at + 30L + short(bytes, at + 26) + short(bytes, at + 28)
    }

    private fun short(bytes: ByteArray, at: Int): Int = (bytes[at].toInt() and 255) or ((bytes[at + 1].toInt() and 255) shl 8)

    private fun aapt2(vararg arguments: String): String =
        ProcessBuilder(listOf("aapt2") + arguments).redirectError(ProcessBuilder.Redirect.INHERIT).start()
            .inputStream.bufferedReader().readText()

    companion object {
        private val apk = File("target/reports.apk")
        private val build = Apk(File("target/apk"))

        /** Once: R8 takes its time. */
        @BeforeClass
        @JvmStatic
        fun build() = build.build(apk)
    }
}
