// Signs in, shows the board, an incident or the way in, and carries what the feed brings to them.

import { Announcer } from "./announcer.js";
import { Api } from "./api.js";
import { Board } from "./board.js";
import { now } from "./clock.js";
import { byId, setText } from "./dom.js";
import { Feed } from "./feed.js";
import { IncidentPage } from "./incident.js";
import { Incidents } from "./incidents.js";
import * as session from "./session.js";
import { hideSignIn, showSignIn, watchSignIn } from "./sign_in.js";
import { StreamState } from "./stream_state.js";

const PAINT_EVERY_MS = 250;

let signedIn = null;

/** Everything that lives from one sign-in to the sign-out. */
class SignedIn {
  #painting = false;
  /** Whether the server has taken the token, or could not be asked. */
  entered = false;

  constructor(token) {
    this.token = token;
    this.api = new Api(token);
    this.incidents = new Incidents();
    this.page = new IncidentPage(this.api, this.incidents, signOut);
    this.announcer = new Announcer();
    this.stream = new StreamState(() => this.feed.retry());
    this.feed = new Feed(this.api, {
      incident: (incident, live) => this.#hear(incident, live),
      state: (name, facts) => this.#state(name, facts),
      complete: () => this.paint(),
      restarted: () => this.#restart(),
      refused: (refusal) => signOut(refusal),
    });
    this.board = new Board(this.incidents, this.feed.period);
    this.clock = setInterval(() => this.#tick(), 10_000);
  }

  #hear(said, live) {
    const change = this.incidents.take(said, live ? now() : 0);
    if (live) this.page.heard(said.id);
    if (!change) return this.incidents.haveRoom;
    if (live) this.announcer.heard(change, this.incidents.get(said.id) ?? said);
    if (live && change === "created") this.board.markNew(said.id);
    this.paint();
    return this.incidents.haveRoom;
  }

  /** The server's data were restored from a copy: what is shown may not exist there. */
  #restart() {
    this.incidents.clear();
    setText(byId("spoken"), "The server's data are others now. The board reads everything again.");
    this.paint();
  }

  /** What has left the period goes. */
  #tick() {
    this.incidents.forgetBefore(this.feed.period.sinceMs);
    this.paint();
  }

  #state(name, facts) {
    this.stream.show(name, facts);
    if (name !== "starting" && !this.entered) this.#enter();
    this.paint();
  }

  #enter() {
    this.entered = true;
    hideSignIn();
    byId("bar-end").hidden = false;
    setText(byId("who"), session.subject(this.token) ?? "");
    route();
    byId("main").focus({ preventScroll: true });
  }

  /** Paints soon, and not more often than somebody can read. */
  paint() {
    if (this.#painting) return;
    this.#painting = true;
    setTimeout(() => {
      this.#painting = false;
      if (signedIn !== this) return;
      this.board.paint();
      this.page.paint();
      this.announcer.say();
    }, PAINT_EVERY_MS);
  }

  close() {
    clearInterval(this.clock);
    this.feed.stop();
    this.stream.close();
    this.board.close();
    this.page.close();
  }
}

function signIn(token) {
  session.keep(token);
  signedIn = new SignedIn(token);
  signedIn.feed.run();
}

function signOut(refusal) {
  session.forget();
  signedIn?.close();
  signedIn = null;
  for (const id of ["board", "incident", "bar-end"]) byId(id).hidden = true;
  document.title = "Incidents";
  showSignIn(refusal);
}

/** `#/incidents/<id>` is an incident, everything else is the board. */
function route() {
  if (!signedIn?.entered) return;
  const id = /^#\/incidents\/([0-9a-f-]{36})$/.exec(location.hash)?.[1];
  byId("board").hidden = Boolean(id);
  if (id) signedIn.page.open(id);
  else signedIn.page.leave();
  signedIn.board.shown = !id;
  signedIn.board.paint();
}

watchSignIn(signIn);
byId("sign-out").addEventListener("click", () => signOut(null));
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});
addEventListener("hashchange", route);
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && location.hash.startsWith("#/incidents/")) location.hash = "#/";
});
addEventListener("online", () => signedIn?.feed.retry());
document.addEventListener("visibilitychange", () => document.hidden || signedIn?.feed.retry());

const kept = session.token();
if (kept) signIn(kept);
else showSignIn(null);
