// Tells those who listen what came in, one sentence at a time.

import { byId, setText } from "./dom.js";

const SAY_EVERY_MS = 5000;

export class Announcer {
  #heard = [];
  #saidMs = 0;

  heard(change, incident) {
    if (change === "erased") this.#forget(incident.id);
    this.#heard.push({ change, incident });
  }

  /** What was told of it may not be read again. */
  #forget(id) {
    this.#heard = this.#heard.filter(({ incident }) => incident.id !== id);
    setText(byId("spoken"), "");
  }

  say() {
    if (this.#heard.length === 0 || Date.now() - this.#saidMs < SAY_EVERY_MS) return;
    setText(byId("spoken"), sentence(this.#heard));
    this.#heard = [];
    this.#saidMs = Date.now();
  }
}

function sentence(heard) {
  if (heard.length === 1) {
    const [{ change, incident }] = heard;
    if (change === "erased") return "A report was erased.";
    return change === "created" ? `New report at ${incident.locationId}.` : `Report at ${incident.locationId} cancelled.`;
  }
  const count = (wanted) => heard.filter(({ change }) => change === wanted).length;
  const parts = [];
  if (count("created")) parts.push(`${count("created")} new`);
  if (count("cancelled")) parts.push(`${count("cancelled")} cancelled`);
  if (count("erased")) parts.push(`${count("erased")} erased`);
  return `${parts.join(", ")}.`;
}
