// The board shows a period: it reads what was created in it and follows from there, however much is stored.

import assert from "node:assert/strict";
import { test } from "node:test";

import { boardTests } from "./support/board_test.js";
import { live, openBoard, signIn } from "./support/browser.js";
import { report, send, sendAll } from "./support/reports.js";

const HOUR_MS = 3_600_000;
const EACH = 450;

const scene = boardTests(async (scene) => {
  for (const [location, hours] of [["today", 1], ["this-week", 100], ["last-year", 9000]]) {
    const from = Date.now() - hours * HOUR_MS;
    const payload = (_, index) => report({ locationId: location, createdAt: new Date(from - index).toISOString() });
    await sendAll(scene.server, scene.phone, Array.from({ length: EACH }, payload));
  }
});

const period = (page) => page.getByLabel("Created", { exact: true });

test("the last 24 hours at first; longer and shorter when asked", async () => {
  const { page } = await scene.openLive();
  await page.getByText(`The first 100 of ${EACH}`, { exact: true }).waitFor();
  await page.getByText("at 1 location, last 24 hours").waitFor();

  await period(page).selectOption("Last 7 days");
  await page.getByText(`The first 100 of ${2 * EACH}`, { exact: true }).waitFor();
  await period(page).selectOption("At any time");
  await page.getByText(`The first 100 of ${(3 * EACH).toLocaleString("en-GB")}`, { exact: true }).waitFor();
  await period(page).selectOption("Last 24 hours");
  await page.getByText(`The first 100 of ${EACH}`, { exact: true }).waitFor();
  await period(page).selectOption("Last 7 days");
  await page.getByText(`The first 100 of ${2 * EACH}`, { exact: true }).waitFor();
});

test("only what is shown is asked for, and the history of all is not", async () => {
  const asked = [];
  const { page } = await scene.open();
  page.on("request", (request) => request.url().includes("/api/") && asked.push(new URL(request.url())));
  await signIn(page, scene.reader);
  await live(page);
  await page.getByText(`The first 100 of ${EACH}`, { exact: true }).waitFor();

  const changes = asked.filter(({ pathname }) => pathname.endsWith("/changes")).map(({ searchParams }) => searchParams.get("after"));
  const lists = asked.filter(({ pathname }) => pathname.endsWith("/incidents"));
  assert.equal(changes[0], "latest");
  assert.equal(changes.length, 2, "where the changes stand, then the stream");
  assert.equal(lists.length, Math.ceil(EACH / 200));
  assert.ok(lists.every(({ searchParams }) => Date.parse(searchParams.get("createdAfter")) > Date.now() - 25 * HOUR_MS));
});

test("what is reported while the board reads is on it, once", async () => {
  const { page } = await scene.open();
  let reported;
  await page.route("**/api/incidents?*", async (route) => {
    reported ??= send(scene.server, scene.phone, report({ locationId: "meanwhile", createdAt: new Date().toISOString() }));
    await reported;
    await route.continue();
  });
  await signIn(page, scene.reader);
  await live(page);
  await page.getByRole("link", { name: /meanwhile/ }).waitFor();
  await page.getByText(`The first 100 of ${EACH + 1}`, { exact: true }).waitFor();
  await page.unrouteAll();
});

test("an old report is shown when something happens to it, and said to be what it is", async () => {
  const { page } = await scene.openLive();
  const old = report({ locationId: "long-ago", createdAt: new Date(Date.now() - 200 * HOUR_MS).toISOString() });
  const { id } = await send(scene.server, scene.phone, old);
  await page.getByRole("searchbox").fill(id);
  await page.locator(`a[href$="${id}"]`).getByText("Open", { exact: true }).waitFor();
  await send(scene.server, scene.phone, { ...old, cancellationReason: "Over." });
  await page.locator(`a[href$="${id}"]`).getByText("Cancelled", { exact: true }).waitFor();
});
