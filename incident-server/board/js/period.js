// The period that the board shows: what was created in it is read by the list, newest first, page by page.

import { now } from "./clock.js";

const INCIDENTS_A_PAGE = 200;
const HOUR_MS = 3_600_000;
/** As long as nobody asks for more. */
const HOURS_AT_FIRST = 24;

export class Period {
  #api;
  #hear;
  #hours = HOURS_AT_FIRST;
  /** Everything created at this moment or later was read. */
  #readMs = Infinity;
  /** Where the list stands while a part of it is read. */
  #cursor = undefined;
  /** Counts what makes a page that is on its way no part of the list any more. */
  #reading = 0;
  #full = false;
  #changed = () => {};

  /** `hear` as the feed's: `incident` and `complete` are told. */
  constructor(api, hear) {
    this.#api = api;
    this.#hear = hear;
  }

  /** Its beginning; that of time where everything is shown. */
  get sinceMs() {
    return this.#hours ? now() - this.#hours * HOUR_MS : 0;
  }

  /** Whether all of it was read, or as much as the board can hold. */
  get complete() {
    return this.#full || this.sinceMs >= this.#readMs;
  }

  /** Whether the board cannot hold all of it. */
  get full() {
    return this.#full;
  }

  /** Goes so many hours back from now on, or to the beginning for 0. What was read is not read again. */
  set hours(hours) {
    this.#hours = hours;
    this.#readMs = Math.max(this.#readMs, this.sinceMs);
    this.#begin();
  }

  /** Nothing that was read counts any more. */
  forget() {
    this.#readMs = Infinity;
    this.#begin();
  }

  /** Reads what is missing, and again whenever the period changes, until the signal ends it. */
  async read(signal) {
    while (!signal.aborted) {
      const changed = new Promise((resolve) => {
        this.#changed = resolve;
        signal.addEventListener("abort", resolve, { once: true });
      });
      await this.#readMissing(signal).catch((error) => { if (!signal.aborted) throw error; });
      if (!signal.aborted) this.#hear.complete();
      await changed;
    }
  }

  #begin() {
    this.#cursor = undefined;
    this.#full = false;
    this.#reading += 1;
    this.#changed();
  }

  async #readMissing(signal) {
    while (!signal.aborted && !this.complete) {
      const { sinceMs } = this;
      const reading = this.#reading;
      const { incidents, nextCursor } = await this.#api.json("incidents", this.#query(sinceMs), signal);
      if (signal.aborted) return;
      if (reading !== this.#reading) continue;
      for (const incident of incidents) this.#full = !this.#hear.incident(incident, false);
      this.#cursor = nextCursor;
      if (!nextCursor) this.#readMs = sinceMs;
    }
  }

  #query(sinceMs) {
    return {
      createdAfter: sinceMs > 0 ? new Date(sinceMs).toISOString() : undefined,
      createdBefore: Number.isFinite(this.#readMs) ? new Date(this.#readMs).toISOString() : undefined,
      limit: INCIDENTS_A_PAGE,
      cursor: this.#cursor,
    };
  }
}
