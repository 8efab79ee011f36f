// The board: figures, arrivals, locations and the reports that fit the filters.

import { Arrivals } from "./arrivals.js";
import { byId, setText } from "./dom.js";
import { Figures } from "./figures.js";
import { Filters } from "./filters.js";
import { HELD_AT_MOST } from "./incidents.js";
import { Locations } from "./locations.js";
import { Rows } from "./rows.js";

const ROWS_AT_FIRST = 100;

export class Board {
  #incidents;
  #period;
  #limit = ROWS_AT_FIRST;
  #ended = new AbortController();
  shown = true;

  constructor(incidents, period) {
    this.#incidents = incidents;
    this.#period = period;
    const { signal } = this.#ended;
    this.filters = new Filters(signal, () => this.#refilter());
    this.locations = new Locations(signal, (location) => this.filters.choose(location));
    this.rows = new Rows(signal);
    this.arrivals = new Arrivals();
    this.figures = new Figures();
    byId("period").addEventListener("change", () => this.#changePeriod(), { signal });
    byId("more-button").addEventListener("click", () => this.#showMore(), { signal });
  }

  markNew(id) {
    this.rows.markNew(id);
  }

  paint() {
    const open = this.#openByLocation();
    const openCount = [...open.values()].reduce((sum, count) => sum + count, 0);
    document.title = openCount ? `(${openCount}) Incidents` : "Incidents";
    if (!this.shown) return;
    this.figures.paint(this.#incidents, openCount, open.size, periodName());
    this.arrivals.paint(this.#incidents);
    this.locations.paint(open, this.filters.chosen.location);
    this.filters.paint(open);
    this.#paintReports();
  }

  close() {
    this.#ended.abort();
    this.rows.clear();
    document.getElementById("filters").reset();
    byId("period").value = byId("period").querySelector("[selected]").value;
  }

  #openByLocation() {
    const counts = new Map();
    for (const { locationId } of this.#incidents.open()) counts.set(locationId, (counts.get(locationId) ?? 0) + 1);
    return counts;
  }

  #paintReports() {
    const { rows, total } = this.#incidents.select(this.filters.chosen, this.#limit);
    this.rows.paint(rows);
    const noun = total === 1 ? "report" : "reports";
    const count = rows.length < total ? `The first ${rows.length} of ${total.toLocaleString()}` : `${total} ${noun}`;
    setText(byId("shown"), this.#period.complete ? count : `${count} so far`);
    this.#paintMore(rows.length, total);
    byId("empty").hidden = total > 0;
    setText(byId("empty"), this.#whyEmpty());
  }

  #paintMore(shown, total) {
    const { full } = this.#period;
    const left = total - shown;
    byId("more").hidden = left === 0 && !full;
    byId("more-button").hidden = left === 0;
    const next = Math.min(left, ROWS_AT_FIRST);
    setText(byId("more-button"), `Show ${next} more`);
    setText(byId("more-text"), [
      left > 0 ? `${left.toLocaleString()} more fit.` : "",
      full ? `The board holds ${HELD_AT_MOST.toLocaleString()}: older ones of this period are not shown here; their page opens by id.` : "",
    ].join(" ").trim());
  }

  #whyEmpty() {
    if (!this.#period.complete) return "Reading…";
    return this.filters.active ? "No report fits these filters." : "No report in this period. The next one appears here by itself.";
  }

  #showMore() {
    const before = byId("rows").childElementCount;
    this.#limit += ROWS_AT_FIRST;
    this.paint();
    byId("rows").children[before]?.querySelector("a")?.focus();
  }

  #changePeriod() {
    this.#period.hours = Number(byId("period").value);
    this.#incidents.forgetBefore(this.#period.sinceMs);
    this.#refilter();
  }

  #refilter() {
    this.#limit = ROWS_AT_FIRST;
    this.paint();
    setText(byId("spoken"), `${byId("shown").textContent}.`);
  }
}

/** Such as `last 24 hours`. */
function periodName() {
  return byId("period").selectedOptions[0].textContent.toLowerCase();
}
