// Tells those who listen what came in, one sentence at a time.

import { byId, setText } from "./dom.js";

const SAY_EVERY_MS = 5000;

export class Announcer {
  #heard = [];
  #saidMs = 0;

  heard(change, incident) {
    this.#heard.push({ change, incident });
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
    return change === "created" ? `New report at ${incident.locationId}.` : `Report at ${incident.locationId} cancelled.`;
  }
  const created = heard.filter(({ change }) => change === "created").length;
  const parts = [];
  if (created) parts.push(`${created} new`);
  if (heard.length > created) parts.push(`${heard.length - created} cancelled`);
  return `${parts.join(", ")}.`;
}
