// A browser that tells on the page: what it logged, and whom it asked.

import { chromium } from "playwright-core";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/** A fresh tab on the board. `seen` holds what should stay empty. */
export async function openBoard(browser, server, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1360, height: 900 }, ...options });
  const page = await context.newPage();
  const seen = { errors: [], strangers: [] };
  page.on("console", (message) => message.type() === "error" && seen.errors.push(message.text()));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("dialog", (dialog) => { seen.errors.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => new URL(request.url()).origin !== server.origin && seen.strangers.push(request.url()));
  await page.goto(`${server.origin}/`);
  return { page, context, seen };
}

/** Pastes a token, as somebody who signs in does. */
export async function signIn(page, token) {
  await page.getByLabel("Access token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** A tab that is signed in and live. */
export async function openLiveBoard(browser, server, options = {}) {
  const opened = await openBoard(browser, server, options);
  await signIn(opened.page, server.token("responder", "incidents:read"));
  await live(opened.page);
  return opened;
}

export async function live(page) {
  await page.locator("#stream[data-state=live]").waitFor({ timeout: 60_000 });
}
