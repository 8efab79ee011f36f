// The way in: a token, and a plain word where it does not open the door.

import { byId } from "./dom.js";
import { tidy } from "./session.js";

/** Calls `signIn` with each token that somebody gives. */
export function watchSignIn(signIn) {
  const field = byId("token");
  byId("sign-in-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const token = tidy(field.value);
    field.value = "";
    if (/^[\x21-\x7e]+$/.test(token)) signIn(token);
    else show("That is no access token: it holds characters that no token has.");
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    byId("sign-in-form").requestSubmit();
  });
}

export function hideSignIn() {
  byId("sign-in").hidden = true;
  show(null);
}

/** Shows the way in, and why: a refusal of the server, or nothing. */
export function showSignIn(refusal) {
  byId("sign-in").hidden = false;
  show(refusal && explained(refusal));
  byId("token").focus();
}

function explained(refusal) {
  if (refusal.status === 403) {
    return "This token is valid, but it may not read all incidents: it lacks the scope incidents:read. Sign in with one that holds it.";
  }
  return "The server does not take this token, or no longer: it may have expired. Sign in with a new one.";
}

function show(text) {
  const notice = byId("sign-in-notice");
  notice.hidden = !text;
  notice.textContent = text ?? "";
}
