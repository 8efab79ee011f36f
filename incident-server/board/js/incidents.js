// The incidents that the board holds: those of the period that is shown, open ones before cancelled ones where
// there are too many.

/** Incidents held at most, so that a tab stays small; the server keeps the others. */
export const HELD_AT_MOST = 20_000;

export class Incidents {
  #byId = new Map();
  /** Oldest first by id, which is time-ordered: a new incident mostly goes to the end. */
  #ordered = [];
  /** Ids that were erased: what was read before and arrives late brings none back. */
  #erased = new Set();

  get(id) {
    return this.#byId.get(id);
  }

  /** Whether there is room for one from the past. */
  get haveRoom() {
    return this.#byId.size < HELD_AT_MOST;
  }

  /**
   * Takes what the server says. State only grows from Open to Cancelled to Erased, so what arrives twice, late or in
   * another order changes nothing. Answers `created` for a new open one, `cancelled`, `erased`, or null.
   * `heardMs` is when it was told as news; not at all, where it was read as a part of the past.
   */
  take(said, heardMs = 0) {
    if (said.status === "Erased") return this.#erase(said.id);
    if (this.#erased.has(said.id)) return null;
    const incident = { ...understood(said), heardMs };
    const held = this.#byId.get(incident.id);
    if (held && (held.status === incident.status || held.status === "Cancelled")) return null;
    this.#byId.set(incident.id, incident);
    if (held) this.#ordered[this.#indexOf(incident.id)] = incident;
    else this.#ordered.splice(this.#indexOf(incident.id), 0, incident);
    if (this.#byId.size > HELD_AT_MOST * 1.25) this.#letGo(this.#byId.size - HELD_AT_MOST);
    return incident.status === "Cancelled" ? "cancelled" : "created";
  }

  /** Those that fit, open ones first, then newest first: at most `limit` of them, and how many there are. */
  select({ status, location, search }, limit) {
    const open = [];
    const cancelled = [];
    let total = 0;
    for (let index = this.#ordered.length - 1; index >= 0; index -= 1) {
      const incident = this.#ordered[index];
      if (status && incident.status !== status) continue;
      if (location && incident.locationId !== location) continue;
      if (search && !incident.id.includes(search)) continue;
      total += 1;
      const fits = incident.status === "Open" ? open : cancelled;
      if (fits.length < limit) fits.push(incident);
    }
    return { rows: open.concat(cancelled).slice(0, limit), total };
  }

  /** Every open one, newest first. */
  *open() {
    for (let index = this.#ordered.length - 1; index >= 0; index -= 1) {
      if (this.#ordered[index].status === "Open") yield this.#ordered[index];
    }
  }

  /** Every one that the server received at this moment or later, in no order. */
  *receivedSince(ms) {
    for (const incident of this.#ordered) if (incident.receivedMs >= ms) yield incident;
  }

  /** How many were cancelled at this moment or later. */
  cancelledSince(ms) {
    let count = 0;
    for (const { cancelledMs } of this.#ordered) if (cancelledMs >= ms) count += 1;
    return count;
  }

  /** Lets those go that were created before this moment, but for those that were news since then. */
  forgetBefore(ms) {
    this.#keep(({ createdMs, heardMs }) => createdMs >= ms || heardMs >= ms);
  }

  clear() {
    this.#erased.clear();
    this.#keep(() => false);
  }

  #erase(id) {
    this.#erased.add(id);
    if (this.#erased.size > HELD_AT_MOST) this.#erased.delete(this.#erased.values().next().value);
    if (!this.#byId.has(id)) return null;
    this.#keep((incident) => incident.id !== id);
    return "erased";
  }

  /** Where the id stands, or would stand, in the order. */
  #indexOf(id) {
    let [low, high] = [0, this.#ordered.length];
    if (high === 0 || this.#ordered[high - 1].id < id) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ordered[middle].id < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Lets so many go: cancelled ones first, of them those that were received first. */
  #letGo(count) {
    const isOpen = ({ status }) => Number(status === "Open");
    const inOrder = this.#ordered.toSorted((one, other) => isOpen(one) - isOpen(other) || one.receivedMs - other.receivedMs);
    const gone = new Set(inOrder.slice(0, count));
    this.#keep((incident) => !gone.has(incident));
  }

  #keep(wanted) {
    for (const incident of this.#ordered) if (!wanted(incident)) this.#byId.delete(incident.id);
    this.#ordered = this.#ordered.filter(wanted);
  }
}

/** As the board uses it. Whatever the server says, an anonymous incident has no reporter here. */
export function understood(said) {
  const incident = {
    ...said,
    createdMs: Date.parse(said.createdAt),
    receivedMs: Date.parse(said.receivedAt),
    cancelledMs: Date.parse(said.cancelledAt ?? ""),
    longitude: said.gpsCoordinates.coordinates[0],
    latitude: said.gpsCoordinates.coordinates[1],
  };
  if (incident.isAnonymous) delete incident.reporter;
  return incident;
}
