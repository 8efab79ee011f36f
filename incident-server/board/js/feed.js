// Brings the incidents to the board and keeps on bringing them: what is stored first, then the stream of
// changes; after a cut it goes on where it was.

import { serverSentEvents } from "./sse.js";

/** The server sends a comment at least every 15 s; after so long a silence the connection is taken for dead. */
const SILENCE_MS = 25_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const INCIDENTS_A_PAGE = 200;
const CHANGES_A_PAGE = 1000;
/** While many changes are caught up, new incidents are looked for so often. */
const LOOK_EVERY_MS = 3000;

export class Feed {
  #api;
  #hear;
  #stopped = new AbortController();
  #cursor = undefined;
  #caughtUp = false;
  #failures = 0;
  #heardMs = Date.now();
  #resume = () => {};

  /**
   * `hear.incident(incident, live)` takes an incident, live when it came by the stream;
   * `hear.state(name, facts)` is told `starting`, `catching-up`, `live`, or `down` with `sinceMs`, `retryMs`;
   * `hear.refused(refusal)` that only another token helps: the feed has ended.
   */
  constructor(api, hear) {
    this.#api = api;
    this.#hear = hear;
  }

  async run() {
    this.#hear.state("starting");
    while (!this.#stopped.signal.aborted) {
      try {
        if (!this.#caughtUp) await this.#catchUp();
        await this.#follow();
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        if (error.needsToken) return this.#hear.refused(error);
        this.#failures += 1;
      }
      await this.#pause();
    }
  }

  stop() {
    this.#stopped.abort();
    this.#resume();
  }

  /** Ends a pause: tries at once. */
  retry() {
    this.#resume();
  }

  /** All changes so far, in pages. Where they are many, the open incidents are shown before them. */
  async #catchUp() {
    const early = this.#cursor === undefined;
    let many = await this.#page();
    if (many && early) await this.#look("Open", Infinity);
    let lookedMs = Date.now();
    while (many) {
      this.#hear.state("catching-up");
      many = await this.#page();
      if (Date.now() - lookedMs < LOOK_EVERY_MS) continue;
      await this.#look("Open", 1);
      lookedMs = Date.now();
    }
    this.#caughtUp = true;
  }

  /** One page of changes; answers whether there may be more. */
  async #page() {
    const query = { after: this.#cursor, limit: CHANGES_A_PAGE };
    const { changes, nextCursor } = await this.#json("incidents/changes", query);
    for (const change of changes) this.#hear.incident(change.incident, false);
    this.#cursor = nextCursor ?? this.#cursor;
    this.#heardMs = Date.now();
    return changes.length === CHANGES_A_PAGE;
  }

  /** The newest incidents, so many pages of them. */
  async #look(status, pages) {
    let cursor;
    for (let page = 0; page < pages; page += 1) {
      const query = { status, limit: INCIDENTS_A_PAGE, cursor };
      const { incidents, nextCursor } = await this.#json("incidents", query);
      for (const incident of incidents) this.#hear.incident(incident, false);
      if (!nextCursor) return;
      cursor = nextCursor;
    }
  }

  /** Reads the stream until it ends or is silent for too long. */
  async #follow() {
    const cut = new AbortController();
    const either = AbortSignal.any([cut.signal, this.#stopped.signal]);
    let silence = setTimeout(() => cut.abort(), SILENCE_MS);
    try {
      const bytes = await this.#api.events("incidents/changes", { after: this.#cursor }, either);
      this.#hear.state("live");
      for await (const event of serverSentEvents(bytes)) {
        clearTimeout(silence);
        silence = setTimeout(() => cut.abort(), SILENCE_MS);
        this.#heardMs = Date.now();
        this.#failures = 0;
        if (event) this.#change(event);
      }
    } finally {
      clearTimeout(silence);
      cut.abort();
    }
  }

  #change(event) {
    const change = JSON.parse(event.data);
    this.#hear.incident(change.incident, true);
    this.#cursor = event.id || change.cursor;
  }

  #json(path, query) {
    return this.#api.json(path, query, this.#stopped.signal);
  }

  /** Waits before the next try: longer each time, and never for as long as another board does. */
  async #pause() {
    if (this.#stopped.signal.aborted) return;
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10));
    const pauseMs = longest * (0.5 + Math.random() / 2);
    this.#hear.state("down", { sinceMs: this.#heardMs, retryMs: Date.now() + pauseMs });
    await new Promise((resume) => {
      this.#resume = resume;
      setTimeout(resume, pauseMs);
    });
    if (!this.#stopped.signal.aborted) this.#hear.state("starting");
  }
}
