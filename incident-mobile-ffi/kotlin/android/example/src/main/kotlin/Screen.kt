package com.example.reports

import android.app.Activity
import android.app.AlertDialog
import android.view.View
import android.widget.Button
import android.widget.CheckBox
import android.widget.EditText
import android.widget.ListView
import android.widget.Switch
import android.widget.TextView
import incidentsync.Draft
import incidentsync.Entry
import incidentsync.Outbox
import incidentsync.OutboxError
import incidentsync.Summary
import incidentsync.SyncEnd
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch

/** What stands on the screen, and what its buttons do. */
class Screen(
    private val activity: Activity,
    private val scope: CoroutineScope,
    private val outbox: Outbox,
    private val network: Network,
) {
    private val place: EditText = view(R.id.place)
    private val room: EditText = view(R.id.room)
    private val anonymous: CheckBox = view(R.id.anonymous)
    private val words: TextView = view(R.id.words)
    private val sync: Button = view(R.id.sync)
    private val rows = Rows(activity)

    /** Draws every change of the file, by whatever process, until the screen is gone. */
    suspend fun follow() {
        view<Button>(R.id.report).setOnClickListener { act(::report) }
        view<Switch>(R.id.airplane).setOnCheckedChangeListener { _, isOn -> act { turn(isOn) } }
        sync.setOnClickListener { act(::send) }
        view<ListView>(R.id.list).adapter = rows
        view<ListView>(R.id.list).setOnItemClickListener { _, _, at, _ -> ask(rows.getItem(at)!!) }
        outbox.watch().collect { draw(it, outbox.entries(limit = 50)) }
    }

    private fun draw(counts: Summary, entries: List<Entry>) {
        view<TextView>(R.id.counts).text =
            activity.getString(R.string.counts, counts.pending, counts.settled, counts.quarantined)
        rows.show(entries)
    }

    private suspend fun report() {
        // A real app asks the phone where it is.
        val draft = Draft(
            locationId = place.text.toString(),
            roomNumber = room.text.toString(),
            isAnonymous = anonymous.isChecked,
            longitude = 12.4924,
            latitude = 41.8902,
        )
        outbox.report(draft)
        place.text.clear()
        room.text.clear()
    }

    private suspend fun turn(airplane: Boolean) {
        network.isAirplane = airplane
        if (!airplane) outbox.networkChanged()
    }

    private suspend fun send() {
        sync.isEnabled = false
        try {
            words.text = when (val end = outbox.sync(network)) {
                is SyncEnd.Wait -> activity.getString(R.string.again_at, clock(end.until), end.detail)
                is SyncEnd.SignIn -> activity.getString(R.string.sign_in, end.detail)
                SyncEnd.Idle -> activity.getString(R.string.delivered)
            }
        } finally {
            sync.isEnabled = true
        }
    }

    private fun ask(entry: Entry) {
        AlertDialog.Builder(activity)
            .setMessage(R.string.call_off)
            .setPositiveButton(android.R.string.ok) { _, _ ->
                act { outbox.cancel(entry.key, activity.getString(R.string.called_off)) }
            }
            .setNegativeButton(android.R.string.cancel, null)
            .show()
    }

    private fun act(change: suspend () -> Unit) {
        scope.launch {
            words.text = ""
            try {
                change()
            } catch (error: OutboxError) {
                words.text = error.message
            }
        }
    }

    private fun <T : View> view(id: Int): T = activity.findViewById(id)
}
