// Finding one report among many.

import assert from "node:assert/strict";
import { test } from "node:test";

import { boardTests } from "./support/board_test.js";
import { report, send, sendAll } from "./support/reports.js";

let searched;

const scene = boardTests(async (scene) => {
  const north = Array.from({ length: 4 }, () => report({ locationId: "north" }));
  const south = Array.from({ length: 3 }, () => report({ locationId: "south", cancellationReason: "Over." }));
  await sendAll(scene.server, scene.phone, [...north, ...south, report({ locationId: "south" })]);
  searched = (await send(scene.server, scene.phone, report({ locationId: "east" }))).id;
});

test("by status, by location, by both, and back to all", async () => {
  const { page } = await scene.openLive();
  const rows = page.locator("#rows a");
  await assertCount(rows, 9);

  await page.getByRole("radio", { name: "Cancelled" }).check();
  await assertCount(rows, 3);
  await page.getByLabel("Location", { exact: true }).selectOption("north");
  await assertCount(rows, 0);
  await page.getByText("No report fits these filters.").waitFor();
  await page.getByLabel("Location", { exact: true }).selectOption("south");
  await assertCount(rows, 3);
  await page.getByRole("button", { name: "Clear filters" }).click();
  await assertCount(rows, 9);
});

test("a click on a location's count shows its reports, another click all of them", async () => {
  const { page } = await scene.openLive();
  const north = page.getByRole("button", { name: "north 4" });
  await north.click();
  await assertCount(page.locator("#rows a"), 4);
  assert.equal(await north.getAttribute("aria-pressed"), "true");
  await north.click();
  await assertCount(page.locator("#rows a"), 9);
});

test("by a part of the id; a whole id opens its page", async () => {
  const { page } = await scene.openLive();
  const search = page.getByRole("searchbox");
  await search.fill(searched.slice(-12).toUpperCase());
  await assertCount(page.locator("#rows a"), 1);
  await search.fill(searched);
  await search.press("Enter");
  await page.getByRole("heading", { level: 1, name: "east" }).waitFor();
});

test("a report that arrives shows only where it fits", async () => {
  const { page } = await scene.openLive();
  await page.getByLabel("Location", { exact: true }).selectOption("east");
  await send(scene.server, scene.phone, report({ locationId: "north" }));
  await send(scene.server, scene.phone, report({ locationId: "east" }));
  await assertCount(page.locator("#rows a"), 2);
});

test("an id that nobody knows is told so", async () => {
  const { page } = await scene.openLive({}, /status of 404/);
  await page.goto(`${scene.server.origin}/#/incidents/01a202c0-f648-8114-8d97-64d571c679d1`);
  await page.getByText("The server knows no incident with this id.").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "Reports" }).waitFor();
});

async function assertCount(rows, count) {
  if (count) await rows.nth(count - 1).waitFor();
  await rows.nth(count).waitFor({ state: "detached" });
  assert.equal(await rows.count(), count);
}
