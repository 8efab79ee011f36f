// Where an incident is: a plot without a map, and the nearest other open incidents in words.

import { html, setText, written } from "./dom.js";
import { direction, distance, length, offset } from "./geo.js";
import { plot } from "./plot.js";

/** Half the width of the plot, in metres. */
const REACHES = [100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000];
const AT_FIRST = REACHES.indexOf(250);
const FAR_METRES = 25_000;
const NEAREST = 5;
const DOTS_AT_MOST = 500;

export class Position {
  #incident;
  #step = null;
  #others = [];
  #painted = "";
  #picture = html("div", { class: "plot" });
  #nearest = html("ol", { class: "nearest", role: "list" });
  #reach = html("p", { class: "hint", role: "status" });
  #closer = html("button", { type: "button", "aria-label": "Zoom in", click: () => this.#zoom(-1) }, "+");
  #farther = html("button", { type: "button", "aria-label": "Zoom out", click: () => this.#zoom(1) }, "−");

  constructor(incident) {
    this.#incident = incident;
    this.card = html("section", { class: "card position-card", "aria-labelledby": "position-title" },
      html("div", { class: "position-head" }, html("h2", { id: "position-title" }, "Position"),
        html("div", { class: "zoom" }, this.#reach, this.#farther, this.#closer)),
      this.#picture,
      html("h3", null, "Nearest other open incidents"),
      this.#nearest);
  }

  paint(incidents) {
    const others = [];
    for (const other of incidents.open()) {
      if (other.id !== this.#incident.id) others.push({ ...other, metres: distance(this.#incident, other) });
    }
    others.sort((one, other) => one.metres - other.metres);
    this.#others = others.slice(0, DOTS_AT_MOST);
    this.#step ??= this.#fitting();
    this.#draw();
  }

  /** The smallest reach from 250 m on that shows some others, where there are any that are not far. */
  #fitting() {
    const wanted = this.#others[Math.min(NEAREST, this.#others.length) - 1];
    const metres = wanted && wanted.metres < FAR_METRES ? wanted.metres : 0;
    const step = REACHES.findIndex((reach) => reach * 0.9 >= metres);
    return Math.max(AT_FIRST, step);
  }

  #zoom(by) {
    this.#step = Math.min(REACHES.length - 1, Math.max(0, this.#step + by));
    this.#draw();
  }

  #draw() {
    const reach = REACHES[this.#step];
    const key = `${reach} ${this.#others.map(({ id }) => id).join()}`;
    if (key === this.#painted) return;
    this.#painted = key;
    const { figure, inside } = plot(this.#incident, this.#others, reach);
    this.#picture.replaceChildren(figure);
    setText(this.#reach, `${length(2 * reach)} across, ${inside} other open ${inside === 1 ? "incident" : "incidents"}`);
    this.#closer.disabled = this.#step === 0;
    this.#farther.disabled = this.#step === REACHES.length - 1;
    this.#list();
  }

  #list() {
    const nearest = this.#others.slice(0, NEAREST).map((other) => html("li", null,
      html("a", { href: `#/incidents/${other.id}` }, written(other.locationId),
        other.roomNumber && html("span", null, ", room ", written(other.roomNumber))),
      html("span", { class: "hint" }, this.#way(other))));
    const held = this.#nearest.contains(document.activeElement) ? document.activeElement.hash : null;
    this.#nearest.replaceChildren(...(nearest.length ? nearest : [html("li", { class: "hint" }, "No other is open.")]));
    if (held) this.#nearest.querySelector(`a[href="${held}"]`)?.focus();
  }

  #way(other) {
    return other.metres < 1 ? "same position" : `${length(other.metres)} ${direction(offset(this.#incident, other))}`;
  }
}
