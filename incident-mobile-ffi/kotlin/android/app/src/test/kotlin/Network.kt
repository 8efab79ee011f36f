package com.example.app

import android.content.Context
import android.net.ConnectivityManager
import android.net.NetworkCapabilities.NET_CAPABILITY_INTERNET
import android.net.NetworkCapabilities.NET_CAPABILITY_VALIDATED
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowNetworkCapabilities

/** The device's connection, as Android tells of it. */
class Network(context: Context) {
    private val manager = context.getSystemService(ConnectivityManager::class.java)
    private val shadow = shadowOf(manager)
    private val wifi = manager.activeNetworkInfo
    private val network = manager.activeNetwork!!
    private val internet = ShadowNetworkCapabilities.newInstance().also {
        shadowOf(it).addCapability(NET_CAPABILITY_INTERNET)
        shadowOf(it).addCapability(NET_CAPABILITY_VALIDATED)
    }

    fun comes() {
        shadow.setActiveNetworkInfo(wifi)
        shadow.setNetworkCapabilities(network, internet)
        shadow.networkCallbacks.forEach { it.onAvailable(network); it.onCapabilitiesChanged(network, internet) }
    }

    fun goes() {
        shadow.setActiveNetworkInfo(null)
        shadow.networkCallbacks.forEach { it.onLost(network) }
    }
}
