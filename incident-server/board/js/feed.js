// Brings the incidents to the board and keeps on bringing them: where the changes stand, then what was created in
// the period that is shown, and beside it the stream of changes; after a cut it goes on where it was.

import { Period } from "./period.js";
import { serverSentEvents } from "./sse.js";

/** The server sends a comment at least every 15 s; after so long a silence the connection is taken for dead. */
const SILENCE_MS = 25_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** What the server answers to a cursor that it never gave out. */
const GONE = 410;

export class Feed {
  #api;
  #hear;
  #stopped = new AbortController();
  #cursor = undefined;
  #failures = 0;
  #heardMs = Date.now();
  #resume = () => {};

  /**
   * `hear.incident(incident, live)` takes an incident, live when it came by the stream, and answers whether there is
   * room for more from the past;
   * `hear.state(name, facts)` is told `starting`, `live`, or `down` with `sinceMs`, `retryMs`;
   * `hear.complete()` that everything of the period was read;
   * `hear.restarted()` that nothing heard before counts: the server's data are others now;
   * `hear.refused(refusal)` that only another token helps: the feed has ended.
   */
  constructor(api, hear) {
    this.#api = api;
    this.#hear = hear;
    this.period = new Period(api, hear);
  }

  async run() {
    this.#hear.state("starting");
    while (!this.#stopped.signal.aborted) {
      try {
        this.#cursor ??= await this.#latest();
        await this.#follow();
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        if (error.needsToken) return this.#hear.refused(error);
        if (error.status === GONE) this.#restart();
        else this.#failures += 1;
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

  /** Where the changes stand, before anything is read: what happens from then on comes by the stream. */
  async #latest() {
    const query = { after: "latest", limit: 1 };
    const { nextCursor } = await this.#api.json("incidents/changes", query, this.#stopped.signal);
    return nextCursor;
  }

  /** Reads the stream until it ends or is silent for too long; beside it, what is left of the period. */
  async #follow() {
    const cut = new AbortController();
    const either = AbortSignal.any([cut.signal, this.#stopped.signal]);
    try {
      const bytes = await this.#api.events("incidents/changes", { after: this.#cursor }, either);
      this.#hear.state("live");
      await Promise.all([this.#read(bytes, cut), this.period.read(either)]);
    } finally {
      cut.abort();
    }
  }

  async #read(bytes, cut) {
    let silence = setTimeout(() => cut.abort(), SILENCE_MS);
    try {
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

  #restart() {
    this.#cursor = undefined;
    this.period.forget();
    this.#hear.restarted();
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
