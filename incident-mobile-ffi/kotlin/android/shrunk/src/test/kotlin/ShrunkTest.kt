package com.example.app

import com.android.tools.r8.OutputMode
import com.android.tools.r8.R8
import incidentsync.support.Server
import java.io.File
import java.nio.file.Path
import java.util.zip.ZipFile
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** What R8 leaves of the package in a release build. */
class ShrunkTest {
    @get:Rule
    val directory = TemporaryFolder()

    @Test
    fun `the whole app becomes dex files for API 26 and no class is missing`() {
        val warnings = Warnings()
        val build = release(jars("target/program"), listOf(WORKER), warnings)
            .setMinApiLevel(26)
            .setProguardMapOutputPath(file("map"))
            .setOutput(file("app.zip"), OutputMode.DexIndexed, false)
        R8.run(build.build())

        assertEquals(emptyList<String>(), warnings.all)
        val map = map()
        val byName = generated() + "com.sun.jna.Native" + "incidentsync.android.SyncWorker"
        assertEquals(emptyList<String>(), byName.filterNot { "$it -> $it:" in map })
        assertFalse("incidentsync.Outbox -> incidentsync.Outbox:" in map)
    }

    @Test
    fun `the shrunk and obfuscated example reports and syncs`() {
        val build = release(example(), listOf(EXAMPLE, NOT_ON_ANDROID), Warnings())
            .setProguardMapOutputPath(file("map"))
            .setOutput(file("example.jar"), OutputMode.ClassFile, true)
        R8.run(build.build())
        assertFalse("incidentsync.Outbox -> incidentsync.Outbox:" in map())

        Server(file("server")).use { server ->
            val example = java(file("outbox.db").toString(), server.url, "alice", server.token("alice"))

            assertTrue("all delivered: CANCELLED" in example.inputStream.bufferedReader().readLines())
            assertEquals(0, example.waitFor())
            assertEquals(1, server.incidents("alice").size)
        }
    }

    private fun file(name: String): Path = directory.root.toPath().resolve(name)

    private fun jars(folder: String): List<File> = File(folder).listFiles()!!.toList()

    private fun example(): List<File> {
        val parts = listOf("incident-sync", "jna", "kotlin-stdlib", "kotlinx-coroutines-core-jvm", "okio", "annotations")
        val shared = jars("target/program").filter { jar -> parts.any { jar.name.startsWith("$it-") } }
        val classes = File("target/classes").walk().filter { it.extension == "class" }
        return shared + jars("target/jvm") + classes
    }

    /** R8's map: what each class was, and is. */
    private fun map(): Set<String> = file("map").toFile().readLines().filter { it.endsWith(":") }.toSet()

    /** The classes that UniFFI generated: JNA finds them, their fields and their methods by name. */
    private fun generated(): List<String> = ZipFile("target/program/incident-sync-0.2.0.jar").use { jar ->
        jar.entries().toList().map { it.name }
            .filter { it.startsWith("incidentsync/generated/") && it.endsWith(".class") }
            .map { it.removeSuffix(".class").replace('/', '.') }
    }

    private fun java(vararg arguments: String): Process {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val command = listOf(java, "-cp", file("example.jar").toString(), "incidentsync.examples.OfflineReportKt")
        return ProcessBuilder(command + arguments).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    }

    private companion object {
        const val WORKER = "-keep class incidentsync.android.SyncWorker { public <init>(...); *** Companion; }"
        const val EXAMPLE =
            "-keep class incidentsync.examples.OfflineReportKt { public static void main(java.lang.String[]); }"

        /** OkHttp for the JVM names other TLS libraries. */
        const val NOT_ON_ANDROID = "-dontwarn org.bouncycastle.**,org.conscrypt.**,org.openjsse.**"
    }
}
