// The page of one incident: its facts, its history, its position. It follows the incident as it changes.

import { byId, html } from "./dom.js";
import { facts, headline } from "./facts.js";
import { understood } from "./incidents.js";
import { Position } from "./position.js";
import { timeline } from "./timeline.js";

export class IncidentPage {
  #api;
  #incidents;
  #page = byId("incident");
  #id = null;
  #status = null;
  #reading = null;
  #position = null;
  #refused;

  /** `refused` is told that only another token helps. */
  constructor(api, incidents, refused) {
    this.#api = api;
    this.#incidents = incidents;
    this.#refused = refused;
  }

  /** Shows the incident; what the board holds of it at once. */
  open(id) {
    if (this.#id === id) return;
    this.#id = id;
    this.#status = null;
    this.#position = null;
    this.#page.hidden = false;
    const held = this.#incidents.get(id);
    if (held) this.#show(held);
    else this.#page.replaceChildren(back(), html("h1", { id: "incident-title", tabindex: "-1" }, "Incident"), html("p", { role: "status" }, "Reading…"));
    byId("incident-title").focus();
    scrollTo(0, 0);
    this.#read();
  }

  /** Goes back to the list, to the row that was left. */
  leave() {
    if (!this.#id) return;
    const row = document.querySelector(`#rows a[href="#/incidents/${this.#id}"]`);
    this.close();
    byId("board").hidden = false;
    (row ?? byId("main")).focus();
  }

  close() {
    this.#reading?.abort();
    this.#id = null;
    this.#page.hidden = true;
    this.#page.replaceChildren();
  }

  /** Something happened to an incident. */
  heard(id) {
    if (id === this.#id) this.#read();
  }

  /** Brings what ages or moves up to date: the other open incidents around. */
  paint() {
    this.#position?.paint(this.#incidents);
  }

  async #read() {
    this.#reading?.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    try {
      const [said, { events }] = await Promise.all([
        this.#api.json(`incidents/${this.#id}`, {}, signal),
        this.#api.json(`incidents/${this.#id}/history`, {}, signal),
      ]);
      if (signal.aborted) return;
      this.#show(understood(said));
      byId("history").replaceChildren(timeline(events, understood(said)));
    } catch (error) {
      if (signal.aborted) return;
      if (error.needsToken) this.#refused(error);
      else this.#fail(error);
    }
  }

  #show(incident) {
    if (this.#status === incident.status) return;
    const fresh = this.#status === null;
    this.#status = incident.status;
    const hadFocus = document.activeElement?.id === "incident-title";
    this.#position ??= new Position(incident);
    this.#page.replaceChildren(back(), headline(incident),
      html("div", { class: "incident-grid" },
        html("section", { class: "card", "aria-labelledby": "facts-title" }, html("h2", { id: "facts-title" }, "Report"), facts(incident)),
        html("section", { class: "card", "aria-labelledby": "history-title" }, html("h2", { id: "history-title" }, "History"), html("div", { id: "history" }, html("p", { class: "hint" }, "Reading…"))),
        this.#position.card));
    this.#position.paint(this.#incidents);
    if (hadFocus || fresh) byId("incident-title").focus({ preventScroll: true });
  }

  /** Nothing of it may stay on the screen. */
  #erased() {
    this.#status = null;
    this.#position = null;
    const notice = html("div", { class: "notice", role: "alert" }, html("p", null, "This report was erased."));
    this.#page.replaceChildren(back(), html("h1", { id: "incident-title", tabindex: "-1" }, "Incident"), notice);
  }

  #fail(error) {
    if (error.status === 410) return this.#erased();
    const text = error.status === 404 ? "The server knows no incident with this id." : `The server could not be asked: ${error.message}.`;
    const again = html("button", { type: "button", click: () => this.#read() }, "Try again");
    const notice = html("div", { class: "notice", role: "alert" }, html("p", null, text), error.status !== 404 && again);
    if (this.#status) byId("history").replaceChildren(notice);
    else this.#page.replaceChildren(back(), html("h1", { id: "incident-title", tabindex: "-1" }, "Incident"), notice);
  }
}

function back() {
  return html("p", { class: "back" }, html("a", { href: "#/" }, "← All incidents"));
}
