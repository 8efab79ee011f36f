package com.example.reports

import android.app.Activity
import android.os.Bundle
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/** Opens the outbox for as long as there is a screen. What was reported stays in the file, whatever becomes of the app. */
class MainActivity : Activity() {
    private val scope = MainScope()

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.main)
        val account = application as Account
        scope.launch {
            account.open().use { Screen(this@MainActivity, scope, it, account.network).follow() }
        }
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }
}
