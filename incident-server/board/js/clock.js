// What time it is by the server's clock, and how to say it.

let aheadMs = 0;

/** Takes the `Date` of an answer; it has whole seconds, so half a second is the best guess of the rest. */
export function noteServerTime(date) {
  const serverMs = Date.parse(date ?? "");
  if (!Number.isNaN(serverMs)) aheadMs = serverMs + 500 - Date.now();
}

/** Milliseconds since 1970 by the server's clock. */
export function now() {
  return Date.now() + (Math.abs(aheadMs) > 2000 ? aheadMs : 0);
}

const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "short" });

/** The time of day; with the date when it is not today's. */
export function shortTime(ms) {
  return day.format(ms) === day.format(now()) ? time.format(ms) : `${day.format(ms)}, ${time.format(ms)}`;
}

/** Date, time and zone. */
export function fullTime(ms) {
  return full.format(ms);
}

const UNITS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]];

/** Such as `4 min. ago`. */
export function ago(ms) {
  const elapsed = now() - ms;
  const found = UNITS.find(([, size]) => Math.abs(elapsed) >= size);
  if (!found) return elapsed < -1000 ? "in less than a minute" : "just now";
  const [unit, size] = found;
  return relative.format(-Math.trunc(elapsed / size), unit);
}

/** Such as `2 h 5 min`. */
export function duration(ms) {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ""}`;
  return `${Math.round(minutes / 1440)} days`;
}
