package incidentsync.support

import java.io.File

/** Starts a program of this class path in a process of its own. */
fun java(main: String, vararg arguments: String): ProcessBuilder {
    val java = File(System.getProperty("java.home"), "bin/java").path
    return ProcessBuilder(listOf(java, "-cp", System.getProperty("java.class.path"), main) + arguments)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
}
