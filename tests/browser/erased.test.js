// What was erased leaves the screen, wherever it is shown.

import assert from "node:assert/strict";
import { test } from "node:test";

import { boardTests } from "./support/board_test.js";
import { report, send } from "./support/reports.js";

const scene = boardTests();
/** A page asks for what was erased, and is told so. */
const GONE = /Failed to load resource.*410/;

async function erase(id) {
  const headers = { Authorization: `Bearer ${scene.server.token("data-protection", "incidents:erase")}` };
  const response = await fetch(`${scene.server.origin}/api/incidents/${id}`, { method: "DELETE", headers });
  assert.equal(response.status, 200);
}

test("an erased report goes from the list, and its neighbours stay", async () => {
  const { page } = await scene.openLive();
  const [erased, kept] = [report({ locationId: "ward-erased" }), report({ locationId: "ward-kept" })];
  const { id } = await send(scene.server, scene.phone, erased);
  await send(scene.server, scene.phone, kept);
  const row = page.locator(`a[href="#/incidents/${id}"]`);
  await row.waitFor();

  await erase(id);

  await row.waitFor({ state: "detached" });
  await page.getByRole("link", { name: /ward-kept/ }).waitFor();
  await send(scene.server, scene.phone, { ...erased, cancellationReason: "Too late." });
  await send(scene.server, scene.phone, report({ locationId: "ward-afterwards" }));
  await page.getByRole("link", { name: /ward-afterwards/ }).waitFor();
  assert.equal(await row.count(), 0);
});

test("the page of an erased report shows nothing of it any more", async () => {
  const { page } = await scene.openLive({}, GONE);
  const { id } = await send(scene.server, scene.phone, report({ locationId: "ward-open-page" }));
  await page.locator(`a[href="#/incidents/${id}"]`).click();
  await page.getByRole("heading", { level: 1, name: /ward-open-page/ }).waitFor();

  await erase(id);

  await page.getByText("This report was erased.").waitFor();
  assert.equal(await page.locator("#incident").getByText("ward-open-page").count(), 0);
  await page.getByRole("link", { name: "← All incidents" }).click();
  // Nor in the list, as soon as it is seen again; a place stays among those that may be chosen.
  await page.locator("#rows").waitFor();
  await page.waitForFunction(() => !document.getElementById("rows").textContent.includes("ward-open-page"));
});
