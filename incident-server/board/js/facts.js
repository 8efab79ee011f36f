// What a report says, and what the server says about it.

import { ago, duration, fullTime } from "./clock.js";
import { html, written } from "./dom.js";
import { LATE_MS } from "./rows.js";

export function headline(incident) {
  return html("header", { class: "incident-head" },
    html("h1", { id: "incident-title", tabindex: "-1" }, written(incident.locationId),
      incident.roomNumber && html("span", { class: "room" }, " Room ", written(incident.roomNumber))),
    html("p", { class: "row-marks", "data-status": incident.status },
      html("span", { class: "badge" }, incident.status),
      incident.isAnonymous && html("span", { class: "mark" }, "Anonymous")),
    incident.clockSuspect && html("p", { class: "notice warn" },
      html("strong", null, "The phone’s clock was implausible. "),
      "Go by when the report was received: the time at which it was created is probably wrong."));
}

export function facts(incident) {
  const cancelled = incident.status === "Cancelled";
  return html("dl", { class: "facts" },
    fact("Location", written(incident.locationId)),
    incident.roomNumber && fact("Room", written(incident.roomNumber)),
    fact("Reporter", reporter(incident)),
    fact("Created", moment(incident.createdAt, incident.createdMs), hint(incident.clockSuspect ? "by the phone’s clock, which was implausible" : "by the phone’s clock")),
    fact("Received", moment(incident.receivedAt, incident.receivedMs), hint(delay(incident))),
    cancelled && fact("Cancelled", moment(incident.cancelledAt, incident.cancelledMs)),
    cancelled && fact("Reason", html("p", { class: "reason" }, written(incident.cancellationReason))),
    fact("Position", position(incident)),
    fact("Id", html("code", null, incident.id)));
}

/** Nobody, for an anonymous incident; `understood` has taken the name away already. */
function reporter({ isAnonymous, reporter: name }) {
  if (isAnonymous) return html("span", null, "Anonymous", hint("who reported is not stored"));
  return name === undefined ? "Not shown" : written(name);
}

function delay({ clockSuspect, createdMs, receivedMs }) {
  const lateMs = receivedMs - createdMs;
  if (clockSuspect || lateMs <= LATE_MS) return "by the server’s clock";
  return `${duration(lateMs)} later: the phone had no way to send it before`;
}

function moment(text, ms) {
  return [html("time", { datetime: text }, fullTime(ms)), " ", hint(ago(ms))];
}

function position({ latitude, longitude }) {
  const north = `${Math.abs(latitude).toFixed(6)}° ${latitude < 0 ? "S" : "N"}`;
  const east = `${Math.abs(longitude).toFixed(6)}° ${longitude < 0 ? "W" : "E"}`;
  return [`${north}, ${east} `, html("a", { href: `geo:${latitude},${longitude}` }, "Open in a map application")];
}

function hint(text) {
  return html("span", { class: "hint" }, text);
}

function fact(name, ...value) {
  return html("div", null, html("dt", null, name), html("dd", null, value.flat()));
}
