package com.example.reports

import android.content.Context
import android.view.View
import android.view.ViewGroup
import android.widget.ArrayAdapter
import android.widget.TextView
import incidentsync.Entry
import incidentsync.EntryState
import java.time.Instant
import java.time.ZoneId
import java.time.format.DateTimeFormatter

/** One line for each report: where and when, and below it what became of it. */
class Rows(context: Context) :
    ArrayAdapter<Entry>(context, android.R.layout.simple_list_item_2, android.R.id.text1) {

    fun show(entries: List<Entry>) {
        setNotifyOnChange(false)
        clear()
        addAll(entries)
        notifyDataSetChanged()
    }

    override fun getView(position: Int, convertView: View?, parent: ViewGroup): View {
        val row = super.getView(position, convertView, parent)
        val entry = getItem(position)!!
        row.findViewById<TextView>(android.R.id.text1).text = listOfNotNull(entry.locationId, entry.roomNumber).joinToString(", ")
        row.findViewById<TextView>(android.R.id.text2).text = "${clock(entry.createdAt)}   ${mark(entry)} ${standing(entry)}"
        return row
    }
}

private val HOURS = DateTimeFormatter.ofPattern("HH:mm:ss")

fun clock(moment: Instant): String = HOURS.format(moment.atZone(ZoneId.systemDefault()))

/** What the server has; before it has the last word: what waits, and whether that calls the report off. */
private fun standing(entry: Entry): String {
    val status = entry.incident?.status?.takeIf { entry.state == EntryState.SETTLED }
    val calledOff = if (status == null && entry.cancellationReason != null) ", called off" else ""
    return (status?.name ?: entry.state.name).lowercase() + calledOff
}

private fun mark(entry: Entry): String = when (entry.state) {
    EntryState.PENDING -> "·"
    EntryState.SENDING -> "↑"
    EntryState.SETTLED -> "✓"
    EntryState.QUARANTINED -> "!"
}
