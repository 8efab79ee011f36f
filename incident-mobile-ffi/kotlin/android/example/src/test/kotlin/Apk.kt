package com.example.reports

import com.android.apksig.ApkSigner
import com.android.apksig.KeyConfig
import com.android.tools.r8.OutputMode
import com.android.tools.r8.R8
import com.example.app.Warnings
import com.example.app.release
import java.io.File
import java.security.KeyStore
import java.security.PrivateKey
import java.security.cert.X509Certificate
import java.util.zip.CRC32
import java.util.zip.ZipEntry
import java.util.zip.ZipFile
import java.util.zip.ZipOutputStream

/** Makes an APK in [folder] of what Maven compiled, in the steps of the Android Gradle plugin. */
class Apk(private val folder: File) {
    val warnings = Warnings()
    val map: File = folder.resolve("map")
    private val unsigned = folder.resolve("unsigned.apk")

    fun build(apk: File) {
        folder.deleteRecursively()
        folder.mkdirs()
        dex()
        put()
        sign(apk)
    }

    /** All classes, shrunk by R8. */
    private fun dex() {
        val classes = File("target/classes").walk().filter { it.extension == "class" }
        val jars = File("target/program").listFiles()!!.toList()
        val rules = File("target/resources.pro").readLines()
        R8.run(
            release(jars + classes, rules, warnings)
                .setMinApiLevel(26)
                .setProguardMapOutputPath(map.toPath())
                .setOutput(folder.resolve("dex.zip").toPath(), OutputMode.DexIndexed, false)
                .build(),
        )
    }

    /** The resources, the dex files, and our library and JNA's for every processor that ours was built for. */
    private fun put() = ZipOutputStream(unsigned.outputStream()).use { apk ->
        entries(File("target/app.ap_")) { true }.forEach { (name, bytes) -> apk.add(name, bytes, stored = name == "resources.arsc") }
        entries(folder.resolve("dex.zip")) { it.endsWith(".dex") }.forEach { (name, bytes) -> apk.add(name, bytes) }
        val ours = File(System.getProperty("native.libraries")).walk().filter { it.extension == "so" }.toList()
        check(ours.isNotEmpty()) { "the library was built for no processor of Android's: run build-android" }
        for (library in ours) {
            val processor = library.parentFile.name
            apk.add("lib/$processor/${library.name}", library.readBytes(), stored = true)
            entries(File("target/jna.aar")) { it == "jni/$processor/libjnidispatch.so" }
                .forEach { (name, bytes) -> apk.add(name.replaceFirst("jni", "lib"), bytes, stored = true) }
        }
    }

    /** With a key for the day; it also sees to it that the libraries begin at a page. */
    private fun sign(apk: File) {
        val signer = ApkSigner.SignerConfig.Builder("reports", KeyConfig.Jca(privateKey()), listOf(certificate())).build()
        ApkSigner.Builder(listOf(signer)).setInputApk(unsigned).setOutputApk(apk).build().sign()
    }

    private val keys: KeyStore by lazy {
        val file = folder.resolve("keys")
        val keytool = File(System.getProperty("java.home"), "bin/keytool").path
        val command = "$keytool -genkeypair -alias reports -keyalg EC -dname CN=reports -storetype PKCS12 -storepass password -keystore"
        check(ProcessBuilder(command.split(" ") + file.path).inheritIO().start().waitFor() == 0)
        KeyStore.getInstance(file, "password".toCharArray())
    }

    private fun privateKey() = keys.getKey("reports", "password".toCharArray()) as PrivateKey

    private fun certificate() = keys.getCertificate("reports") as X509Certificate
}

private fun entries(zip: File, isWanted: (String) -> Boolean): Map<String, ByteArray> = ZipFile(zip).use { file ->
    file.entries().toList().filter { isWanted(it.name) }.associate { it.name to file.getInputStream(it).readAllBytes() }
}

/** Android maps what is [stored] where it lies. */
private fun ZipOutputStream.add(name: String, bytes: ByteArray, stored: Boolean = false) {
    val entry = ZipEntry(name)
    if (stored) {
        entry.method = ZipEntry.STORED
        entry.size = bytes.size.toLong()
        entry.crc = CRC32().apply { update(bytes) }.value
    }
    putNextEntry(entry)
    write(bytes)
    closeEntry()
}
