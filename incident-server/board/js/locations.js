// Open incidents by location, most first; a location chosen here becomes the filter.

import { byId, html, setText, svg, written } from "./dom.js";

const AT_FIRST = 10;
const AT_MOST = 200;

export class Locations {
  #all = false;
  #choose;
  #items = new Map();
  #last = [new Map(), ""];

  constructor(signal, choose) {
    this.#choose = choose;
    byId("locations").replaceChildren();
    byId("locations-more").addEventListener("click", () => this.#toggle(), { signal });
  }

  paint(open, chosen) {
    this.#last = [open, chosen];
    const sorted = [...open].sort(([one, many], [other, more]) => more - many || one.localeCompare(other));
    const shown = sorted.slice(0, this.#all ? AT_MOST : AT_FIRST);
    const most = sorted[0]?.[1] ?? 1;
    const focused = document.activeElement;
    const items = shown.map(([location, count]) => this.#item(location, count, most, location === chosen));
    const list = byId("locations");
    if (items.some((item, index) => list.children[index] !== item) || list.childElementCount !== items.length) {
      list.replaceChildren(...(items.length ? items : [html("li", { class: "empty" }, "None is open.")]));
      if (focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
    }
    this.#paintMore(sorted);
  }

  #toggle() {
    this.#all = !this.#all;
    this.paint(...this.#last);
  }

  #item(location, count, most, pressed) {
    let held = this.#items.get(location);
    if (!held) this.#items.set(location, (held = this.#make(location)));
    setText(held.count, count.toLocaleString());
    held.meter.setAttribute("width", `${(100 * count) / most}%`);
    held.button.setAttribute("aria-pressed", pressed);
    return held.item;
  }

  #make(location) {
    const count = html("span", { class: "location-count" });
    const meter = svg("rect", { height: "100%" });
    const picture = svg("svg", { class: "location-meter", "aria-hidden": "true" }, meter);
    const name = html("span", { class: "location-name" }, written(location));
    const button = html("button", { type: "button", class: "location-choice", click: () => this.#choose(location) }, name, count, picture);
    return { item: html("li", null, button), button, count, meter };
  }

  #paintMore(sorted) {
    const button = byId("locations-more");
    button.hidden = sorted.length <= AT_FIRST;
    const hidden = sorted.slice(AT_FIRST);
    const open = hidden.reduce((sum, [, count]) => sum + count, 0);
    const note = sorted.length > AT_MOST && this.#all ? ` (the first ${AT_MOST} are shown)` : "";
    setText(button, this.#all ? `Show fewer${note}` : `${hidden.length} more with ${open} open`);
  }
}
