// The token, for as long as the tab lives and in no other tab.

const KEY = "incident-board.token";

export function token() {
  return sessionStorage.getItem(KEY);
}

export function keep(value) {
  sessionStorage.setItem(KEY, value);
}

export function forget() {
  sessionStorage.removeItem(KEY);
}

/** What a person may have pasted around a token: white space, quotes, `Bearer `. */
export function tidy(pasted) {
  return pasted.replace(/\s+/g, " ").trim().replace(/^["']|["']$/g, "").replace(/^(authorization: *)?bearer +/i, "").replaceAll(" ", "");
}

/** Whom the token is for, to show it; only the server judges whether it is valid. */
export function subject(value) {
  try {
    const claims = value.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(claims), (character) => character.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes));
    return typeof sub === "string" ? sub : null;
  } catch {
    return null;
  }
}
