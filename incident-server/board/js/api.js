// Asks the server, as the bearer of a token.

import { noteServerTime } from "./clock.js";

const ANSWER_WITHIN_MS = 15_000;
const TRIES_WHEN_TOO_FAST = 5;

/** An answer that is not 2xx, in the words of its problem details (RFC 9457). */
export class Refusal extends Error {
  constructor(status, problem, retryAfterMs) {
    super(problem.detail || problem.title || `the server answered ${status}`);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether only another token helps. */
  get needsToken() {
    return this.status === 401 || this.status === 403;
  }
}

export class Api {
  #token;

  constructor(token) {
    this.#token = token;
  }

  /** `GET` as JSON; waits and asks again when the server says that it was asked too often. */
  async json(path, parameters = {}, signal = undefined) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const deadline = AbortSignal.timeout(ANSWER_WITHIN_MS);
        const either = signal ? AbortSignal.any([signal, deadline]) : deadline;
        const response = await this.#get(path, parameters, "application/json", either);
        return await response.json();
      } catch (error) {
        if (error.status !== 429 || attempt === TRIES_WHEN_TOO_FAST) throw error;
        await new Promise((resume) => setTimeout(resume, error.retryAfterMs));
      }
    }
  }

  /** `GET` as a stream of server-sent events: its bytes. */
  async events(path, parameters, signal) {
    return (await this.#get(path, parameters, "text/event-stream", signal)).body;
  }

  async #get(path, parameters, accept, signal) {
    const present = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null);
    const query = new URLSearchParams(present).toString();
    const response = await fetch(`api/${path}${query && `?${query}`}`, {
      headers: { Authorization: `Bearer ${this.#token}`, Accept: accept },
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal,
    });
    noteServerTime(response.headers.get("Date"));
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    const retryAfterMs = 1000 * (Number(response.headers.get("Retry-After")) || 1);
    throw new Refusal(response.status, problem, retryAfterMs);
  }
}
