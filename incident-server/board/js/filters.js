// Which reports are wanted: by status, location, part of an id.

import { byId, html } from "./dom.js";

const WHOLE_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const LOCATIONS_AT_MOST = 1000;

export class Filters {
  #form = byId("filters");
  #location = byId("location");
  #known = new Set();
  #changed;

  constructor(signal, changed) {
    this.#changed = changed;
    this.#form.reset();
    this.#location.replaceChildren(this.#location.options[0]);
    this.#form.addEventListener("input", () => this.#hear(), { signal });
    this.#form.addEventListener("reset", () => setTimeout(() => this.#hear()), { signal });
    this.#form.addEventListener("submit", (event) => this.#submit(event), { signal });
  }

  get chosen() {
    const fields = new FormData(this.#form);
    return {
      status: fields.get("status"),
      location: fields.get("location"),
      search: fields.get("search").trim().toLowerCase(),
    };
  }

  get active() {
    return Object.values(this.chosen).some(Boolean);
  }

  /** Chooses a location; the one that is chosen already is given up. */
  choose(location) {
    this.#offer(location);
    this.#location.value = this.#location.value === location ? "" : location;
    this.#hear();
  }

  /** Offers the locations of the open incidents, in the order of the alphabet. */
  paint(open) {
    for (const location of open.keys()) {
      if (this.#known.size >= LOCATIONS_AT_MOST) return;
      this.#offer(location);
    }
  }

  #offer(location) {
    if (this.#known.has(location)) return;
    this.#known.add(location);
    const following = [...this.#location.options].slice(1).find((option) => option.value.localeCompare(location) > 0);
    this.#location.insertBefore(html("option", { value: location }, location), following ?? null);
  }

  #hear() {
    byId("clear").hidden = !this.active;
    this.#changed();
  }

  /** A whole id opens its page, held here or not. */
  #submit(event) {
    event.preventDefault();
    const { search } = this.chosen;
    if (WHOLE_ID.test(search)) location.hash = `#/incidents/${search}`;
  }
}
