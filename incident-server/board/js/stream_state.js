// Says whether what is shown is live, and since when it is not.

import { shortTime } from "./clock.js";
import { byId, setText } from "./dom.js";

const WORDS = {
  starting: "Connecting",
  live: "Live",
  down: "Not live",
};

export class StreamState {
  #countdown = 0;
  #retry;
  /** Whether the stream was down when last heard of; connecting anew says nothing better yet. */
  #down = false;

  constructor(retry) {
    this.#retry = () => retry();
    byId("retry").addEventListener("click", this.#retry);
    this.show("starting");
  }

  show(name, facts) {
    clearInterval(this.#countdown);
    byId("stream").dataset.state = name;
    setText(byId("stream-word"), WORDS[name]);
    if (name === "down") this.#showDown(facts);
    else if (name === "live") this.#showLive();
    else setText(byId("banner-countdown"), "Trying now…");
  }

  close() {
    clearInterval(this.#countdown);
    byId("retry").removeEventListener("click", this.#retry);
    byId("banner").hidden = true;
  }

  #showDown({ sinceMs, retryMs }) {
    byId("banner").hidden = false;
    setText(byId("banner-text"), `The stream has been down since ${shortTime(sinceMs)}: what you see may be out of date.`);
    const count = () => {
      const seconds = Math.max(0, Math.ceil((retryMs - Date.now()) / 1000));
      setText(byId("banner-countdown"), seconds ? `Trying again in ${seconds} s.` : "Trying now…");
    };
    count();
    this.#countdown = setInterval(count, 500);
    if (!this.#down) setText(byId("spoken"), "The stream is down. The board tries again by itself.");
    this.#down = true;
  }

  #showLive() {
    byId("banner").hidden = true;
    if (this.#down) setText(byId("spoken"), "The stream is back. The board is up to date.");
    this.#down = false;
  }
}
