// The stream ends, the network falls silent: the board says so and catches up by itself.

import assert from "node:assert/strict";
import { test } from "node:test";

import { boardTests } from "./support/board_test.js";
import { live } from "./support/browser.js";
import { report, send } from "./support/reports.js";

const scene = boardTests();
const NETWORK = /net::ERR|Failed to load resource/;

test("a server that dies and comes back: told while it is away, nothing missed afterwards", async () => {
  const { page } = await scene.openLive({}, NETWORK);
  const before = report({ locationId: "before-the-cut" });
  await send(scene.server, scene.phone, before);
  await page.getByRole("link", { name: /before-the-cut/ }).waitFor();

  await scene.server.kill();
  await page.getByText("The stream has been down since").waitFor();
  await page.locator("#stream").getByText("Not live").waitFor();
  await page.getByText(/Trying again in \d+ s\./).waitFor();

  await scene.server.start();
  await send(scene.server, scene.phone, { ...before, cancellationReason: "While nobody looked." });
  await send(scene.server, scene.phone, report({ locationId: "during-the-cut" }));
  await live(page);
  await page.getByRole("link", { name: /during-the-cut/ }).waitFor();
  await page.getByRole("link", { name: /^Cancelled.*before-the-cut/ }).waitFor();
  assert.equal(await page.getByText("The stream has been down since").isVisible(), false);

  await send(scene.server, scene.phone, report({ locationId: "after-the-cut" }));
  await page.getByRole("link", { name: /after-the-cut/ }).waitFor();
  assert.equal(await page.locator("#rows a").count(), 3);
});

test("somebody in a hurry need not wait for the next try", async () => {
  const { page } = await scene.openLive({}, NETWORK);
  await scene.server.kill();
  await page.getByText("The stream has been down since").waitFor();
  await page.waitForFunction(() => Number(/\d+/.exec(document.getElementById("banner-countdown").textContent)?.[0]) > 4, null, { timeout: 60_000 });
  await scene.server.start();
  const startedMs = Date.now();
  await page.getByRole("button", { name: "Try now" }).click();
  await live(page);
  assert.ok(Date.now() - startedMs < 4000);
});

test("a connection that stays but falls silent is noticed", async () => {
  const { page } = await scene.openLive({}, NETWORK);
  scene.server.freeze();
  try {
    await page.getByText("The stream has been down since").waitFor({ timeout: 40_000 });
  } finally {
    scene.server.thaw();
  }
  await live(page);
  await send(scene.server, scene.phone, report({ locationId: "after-the-silence" }));
  await page.getByRole("link", { name: /after-the-silence/ }).waitFor();
});
