// The list of reports: one link a row. Rows are kept from one painting to the next, so focus and selection stay.

import { ago, duration, fullTime, shortTime } from "./clock.js";
import { byId, html, setText, written } from "./dom.js";

const NEW_FOR_MS = 6000;
/** A report that came so much later than it was written was held by a phone without network. */
export const LATE_MS = 120_000;

export class Rows {
  #list = byId("rows");
  #rows = new Map();
  #new = new Map();

  constructor(signal) {
    this.#list.addEventListener("keydown", (event) => this.#walk(event), { signal });
  }

  /** Lets the row be seen for a moment when it is painted. */
  markNew(id) {
    this.#new.set(id, Date.now() + NEW_FOR_MS);
  }

  clear() {
    this.#rows.clear();
    this.#list.replaceChildren();
  }

  paint(incidents) {
    const focused = document.activeElement;
    const wanted = new Set(incidents.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue;
      row.item.remove();
      this.#rows.delete(id);
    }
    let next = this.#list.firstElementChild;
    for (const incident of incidents) {
      const { item } = this.#row(incident);
      if (item === next) next = next.nextElementSibling;
      else this.#list.insertBefore(item, next);
    }
    if (focused !== document.activeElement && this.#list.contains(focused)) focused.focus({ preventScroll: true });
  }

  /** The row as it stands; made anew when the incident was cancelled since. */
  #row(incident) {
    let row = this.#rows.get(incident.id);
    if (!row) this.#rows.set(incident.id, (row = { item: html("li"), status: null }));
    if (row.status !== incident.status) {
      const hadFocus = row.item.contains(document.activeElement);
      row.item.replaceChildren(link(incident));
      row.status = incident.status;
      if (hadFocus) row.item.firstElementChild.focus({ preventScroll: true });
    }
    setText(row.item.querySelector(".when-ago"), ago(incident.createdMs));
    row.item.classList.toggle("new", this.#isNew(incident.id));
    return row;
  }

  #isNew(id) {
    const untilMs = this.#new.get(id);
    if (untilMs === undefined) return false;
    if (untilMs > Date.now()) return true;
    this.#new.delete(id);
    return false;
  }

  /** Up, down, home and end go from row to row. */
  #walk(event) {
    const items = [...this.#list.children];
    const here = items.indexOf(event.target.closest("li"));
    const there = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: items.length - 1 }[event.key];
    if (here < 0 || there === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    items[there]?.querySelector("a").focus();
  }
}

function link(incident) {
  return html("a", { href: `#/incidents/${incident.id}`, class: "row", "data-status": incident.status },
    html("span", { class: "badge" }, incident.status),
    html("span", { class: "where" },
      html("span", { class: "location" }, written(incident.locationId)),
      incident.roomNumber && html("span", { class: "room" }, "Room ", written(incident.roomNumber))),
    html("span", { class: "marks" }, marks(incident)),
    html("span", { class: "when" },
      html("span", { class: "when-ago" }, ago(incident.createdMs)),
      html("time", { datetime: incident.createdAt, title: fullTime(incident.createdMs) }, shortTime(incident.createdMs))),
    html("span", { class: "id" }, html("span", { class: "spoken" }, "Id ending in "), incident.id.slice(-8)));
}

/** What a responder should know before trusting a row. */
export function marks(incident) {
  const lateMs = incident.receivedMs - incident.createdMs;
  return [
    incident.isAnonymous && html("span", { class: "mark" }, "Anonymous"),
    incident.clockSuspect && html("span", { class: "mark warn" }, "Clock?", html("span", { class: "spoken" }, " The phone’s clock was implausible.")),
    !incident.clockSuspect && lateMs > LATE_MS && html("span", { class: "mark" }, `Arrived ${duration(lateMs)} later`),
  ].filter(Boolean);
}
