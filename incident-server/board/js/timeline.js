// What happened to an incident, oldest first; with what happened on the phone before the server knew.

import { duration, fullTime } from "./clock.js";
import { html, written } from "./dom.js";

const WORDS = {
  created: "Received, open",
  cancelled: "Cancelled",
  cancellationRestated: "Cancelled again, for another reason",
};

export function timeline(events, incident) {
  const reported = !incident.clockSuspect && entry("reported", "Reported on the phone", incident.createdAt, incident.createdMs);
  let beforeMs = incident.clockSuspect ? NaN : incident.createdMs;
  const entries = events.map(({ kind, at, cancellationReason }) => {
    const ms = Date.parse(at);
    const laterMs = ms - beforeMs;
    beforeMs = ms;
    return entry(kind, WORDS[kind] ?? kind, at, ms, laterMs, cancellationReason);
  });
  return html("ol", { class: "timeline", role: "list" }, reported, entries);
}

function entry(kind, word, at, ms, laterMs = NaN, reason = undefined) {
  return html("li", { "data-kind": kind },
    html("p", { class: "event" }, word),
    html("p", { class: "hint" }, html("time", { datetime: at }, fullTime(ms)), laterMs >= 60_000 && `, ${duration(laterMs)} later`),
    reason !== undefined && html("blockquote", { class: "reason" }, written(reason)));
}
