// What happens on a phone is seen on the board without anybody touching it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { boardTests } from "./support/board_test.js";
import { report, send } from "./support/reports.js";

const scene = boardTests();

test("a report arrives, and so does its cancellation", async () => {
  const { page } = await scene.openLive();
  const payload = report({ locationId: "ward-live", roomNumber: "3A" });

  const { id } = await send(scene.server, scene.phone, payload);
  const row = page.locator(`a[href="#/incidents/${id}"]`);
  await row.filter({ hasText: "ward-live" }).waitFor();
  assert.match(await row.innerText(), /Open[^]*ward-live[^]*Room 3A/);
  await page.getByRole("button", { name: "ward-live 1" }).waitFor();

  await send(scene.server, scene.phone, { ...payload, cancellationReason: "It was nothing." });
  await row.getByText("Cancelled", { exact: true }).waitFor();
  await page.getByRole("button", { name: "ward-live 1" }).waitFor({ state: "detached" });
});

test("an open incident's page tells its cancellation when it comes", async () => {
  const { page } = await scene.openLive();
  const payload = report({ locationId: "ward-page" });
  const { id } = await send(scene.server, scene.phone, payload);
  await page.locator(`a[href="#/incidents/${id}"]`).click();
  await page.getByRole("heading", { level: 1, name: /ward-page/ }).waitFor();
  await page.locator(".facts").getByText("alice").waitFor();
  await page.locator('.timeline [data-kind="created"]').waitFor();

  await send(scene.server, scene.phone, { ...payload, cancellationReason: "Solved.\nBy the night shift." });
  await page.locator('.timeline [data-kind="cancelled"]').filter({ hasText: "Solved." }).waitFor();
  await page.locator(".incident-head").getByText("Cancelled", { exact: true }).waitFor();

  await send(scene.server, scene.phone, { ...payload, cancellationReason: "Another reason." });
  await page.locator('.timeline [data-kind="cancellationRestated"]').filter({ hasText: "Another reason." }).waitFor();
});

test("open incidents stand before cancelled ones, the newest first", async () => {
  const { page } = await scene.openLive();
  const [older, newer, gone] = [report(), report(), report({ cancellationReason: "Over." })];
  const ids = [];
  for (const payload of [newer, gone, older]) ids.push((await send(scene.server, scene.phone, payload)).id);
  await page.locator(`a[href$="${ids[2]}"]`).waitFor();

  const order = await page.locator("#rows a").evaluateAll((links) => links.map((link) => link.hash.split("/").pop()));
  const [newerAt, goneAt, olderAt] = ids.map((id) => order.indexOf(id));
  assert.ok(newerAt < olderAt && olderAt < goneAt, order.join("\n"));
});

test("who reported anonymously is never told, and a suspect clock is", async () => {
  const { page } = await scene.openLive();
  const { id } = await send(scene.server, scene.phone, report({ isAnonymous: true, createdAt: "2019-05-01T10:00:00Z" }));
  const row = page.locator(`a[href$="${id}"]`);
  await row.getByText("Anonymous").waitFor();
  await row.getByText("Clock?").waitFor();

  await row.click();
  await page.locator(".facts").getByText("who reported is not stored").waitFor();
  await page.locator("#incident").getByText("The phone’s clock was implausible.").waitFor();
  assert.ok(!(await page.content()).includes("alice"));
});

test("even a server that told the reporter of an anonymous incident would not be repeated", async () => {
  const { page } = await scene.open();
  const shown = await page.evaluate(async () => {
    const { understood } = await import("/board/js/incidents.js");
    const said = { isAnonymous: true, reporter: "alice", gpsCoordinates: { coordinates: [0, 0] } };
    return JSON.stringify(understood(said));
  });
  assert.ok(!shown.includes("alice"));
});
