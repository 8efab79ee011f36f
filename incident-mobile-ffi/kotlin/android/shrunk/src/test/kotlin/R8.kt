package com.example.app

import com.android.tools.r8.ClassFileResourceProvider
import com.android.tools.r8.Diagnostic
import com.android.tools.r8.DiagnosticsHandler
import com.android.tools.r8.JdkClassFileProvider
import com.android.tools.r8.ProgramResource
import com.android.tools.r8.R8Command
import com.android.tools.r8.origin.Origin
import java.io.File
import java.nio.file.Path
import java.util.zip.ZipFile

/** A release build of [program] with the rules that its jars bring, and [rules]. What R8 calls an error throws. */
fun release(program: List<File>, rules: List<String>, said: DiagnosticsHandler): R8Command.Builder =
    R8Command.builder(said)
        .addProgramFiles(program.map { it.toPath() })
        .addLibraryFiles(androidAll.toPath())
        .addLibraryResourceProvider(JavaOfAndroid)
        .addProguardConfiguration(program.filter { it.extension == "jar" }.flatMap(::consumerRules) + rules, Origin.unknown())

private val androidAll = System.getProperty("java.class.path").split(File.pathSeparator).map(::File)
    .single { it.name.startsWith("android-all-") }

/** As the Android Gradle plugin chooses them: those for R8 before those for any shrinker. */
private fun consumerRules(jar: File): List<String> = ZipFile(jar).use { zip ->
    val rules = zip.entries().toList().filter { it.name.endsWith(".pro") }
    val forR8 = rules.filter { it.name.startsWith("META-INF/com.android.tools/r8/") }
    val chosen = forR8.ifEmpty { rules.filter { it.name.startsWith("META-INF/proguard/") } }
    chosen.flatMap { zip.getInputStream(it).reader().readLines() }
}

/** `android-all` has no java.*; so from the JDK the packages that Android has, too: there is no java.awt. */
private object JavaOfAndroid : ClassFileResourceProvider {
    private val jdk = JdkClassFileProvider.fromJdkHome(Path.of(System.getProperty("java.home")))
    private val packages = listOf("java.base", "java.logging", "java.sql")
        .flatMap { ModuleLayer.boot().findModule(it).get().packages }.toSet()
    private val descriptors =
        jdk.classDescriptors.filter { it.drop(1).substringBeforeLast('/').replace('/', '.') in packages }.toSet()

    override fun getClassDescriptors(): Set<String> = descriptors

    override fun getProgramResource(descriptor: String): ProgramResource? = jdk.getProgramResource(descriptor)
}

/** What R8 says of the program; of [JavaOfAndroid] it says that it is slow. */
class Warnings : DiagnosticsHandler {
    val all = mutableListOf<String>()

    override fun info(info: Diagnostic) = Unit

    override fun warning(warning: Diagnostic) {
        if ("async parsing" !in warning.diagnosticMessage) all += warning.diagnosticMessage
    }
}
