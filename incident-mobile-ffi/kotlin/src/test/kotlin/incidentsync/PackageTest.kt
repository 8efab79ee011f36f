package incidentsync

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What an app gets with the jar and has no need to set up. */
class PackageTest {
    private fun resource(name: String) = Outbox::class.java.getResource(name)

    @Test
    fun `the native library is on the class path and is the one in use`() {
        assertTrue(resource("/linux-x86-64/libincident_mobile_ffi.so")!!.readBytes().size > 100_000)
        assertNull(System.getProperty("jna.library.path"))
        assertEquals("01a202c0-f648-81b8-95f2-469ecf9e3f4e", deriveKey("alice", "2026-11-22T10:15:30.120Z"))
    }

    @Test
    fun `the rules for R8 keep what JNA looks up by name`() {
        val rules = resource("/META-INF/proguard/incident-sync.pro")!!.readText()
        assertTrue("-keep class com.sun.jna.** { *; }" in rules)
        assertTrue("-keep class incidentsync.generated.** { *; }" in rules)
    }
}
