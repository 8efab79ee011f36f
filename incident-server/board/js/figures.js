// The figures at the top.

import { now } from "./clock.js";
import { byId, html, setText } from "./dom.js";

const HOUR_MS = 3_600_000;

export class Figures {
  #open = figure("Open now", "open");
  #received = figure("Received, last hour");
  #cancelled = figure("Cancelled, last hour");
  #clock = figure("Clock warnings, open");

  constructor() {
    const all = [this.#open, this.#received, this.#cancelled, this.#clock];
    byId("figures").replaceChildren(...all.map(({ card }) => card));
  }

  paint(incidents, openCount, locationCount, period) {
    const sinceMs = now() - HOUR_MS;
    let received = 0;
    for (const _ of incidents.receivedSince(sinceMs)) received += 1;
    let suspects = 0;
    for (const incident of incidents.open()) suspects += incident.clockSuspect ? 1 : 0;
    const at = `at ${locationCount} ${locationCount === 1 ? "location" : "locations"}`;
    show(this.#open, openCount, locationCount ? `${at}, ${period}` : period);
    show(this.#received, received, "");
    show(this.#cancelled, incidents.cancelledSince(sinceMs), "");
    show(this.#clock, suspects, "");
  }
}

function figure(name, kind = "") {
  const value = html("p", { class: "figure-value" });
  const note = html("p", { class: "figure-note" });
  return { card: html("div", { class: `card figure ${kind}` }, html("h2", null, name), value, note), value, note };
}

function show({ value, note }, count, text) {
  setText(value, count.toLocaleString());
  setText(note, text);
}
