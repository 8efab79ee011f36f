// How many reports the server received in each minute of the last hour.

import { now } from "./clock.js";
import { byId, setText, svg } from "./dom.js";

const MINUTES = 60;
const MINUTE_MS = 60_000;
const [STEP, HEIGHT] = [10, 100];

export class Arrivals {
  #painted = "";

  constructor() {
    byId("arrivals-chart").replaceChildren();
  }

  paint(incidents) {
    const endMs = Math.floor(now() / MINUTE_MS + 1) * MINUTE_MS;
    const counts = countByMinute(incidents, endMs);
    const picture = `${endMs} ${counts.join()}`;
    if (picture === this.#painted) return;
    this.#painted = picture;
    const most = Math.max(...counts);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const text = total ? `${total.toLocaleString()} received; at most ${most} in a minute` : "none received";
    setText(byId("arrivals-text"), text);
    byId("arrivals-chart").replaceChildren(chart(counts, most, text));
  }
}

function countByMinute(incidents, endMs) {
  const counts = new Array(MINUTES).fill(0);
  const startMs = endMs - MINUTES * MINUTE_MS;
  for (const { receivedMs } of incidents.receivedSince(startMs)) {
    const minute = Math.min(MINUTES - 1, Math.floor((receivedMs - startMs) / MINUTE_MS));
    counts[minute] += 1;
  }
  return counts;
}

function chart(counts, most, text) {
  const scale = HEIGHT / Math.max(most, 4);
  const bars = counts.map((count, minute) => count > 0 && svg("rect", {
    class: "bar-arrivals", x: minute * STEP + 1, width: STEP - 2, y: HEIGHT - count * scale, height: count * scale,
  }));
  return svg("svg", {
    viewBox: `0 0 ${MINUTES * STEP} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
    "aria-label": `Arrivals in each minute of the last hour: ${text}`,
  }, bars);
}
