// Two years of a large house are stored: the board is live at once and stays small, for it reads a period.
//
// INCIDENT_TEST_STORED=5000000 stores as many; that takes some minutes and 3 GB.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { boardTests } from "./support/board_test.js";
import { live, signIn } from "./support/browser.js";
import { report, send } from "./support/reports.js";

const STORED = Number(process.env.INCIDENT_TEST_STORED ?? 300_000);
const MB = 1e6;

const scene = boardTests(async (scene) => scene.server.fill(STORED));

/** What the tab's own process has in memory for itself alone: not the browser's files, which all tabs share. */
async function memory(page) {
  const session = await scene.browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const kib = ({ id }) => Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/status`, "utf8"))[1]);
  const tabs = processInfo.filter(({ type }) => type === "renderer").map(kib);
  const heap = await page.evaluate(() => performance.memory.usedJSHeapSize);
  return { tab: Math.max(...tabs) * 1024, heap };
}

test("live within two seconds and below 100 MB, however much is stored", async () => {
  const { page } = await scene.open();
  const startedMs = performance.now();
  await signIn(page, scene.reader);
  await live(page);
  const tookMs = performance.now() - startedMs;

  await page.waitForFunction(() => /^The first 100 of [\d,]+$/.test(document.getElementById("shown").textContent));
  const shown = await page.locator("#shown").textContent();
  const { id } = await send(scene.server, scene.phone, report({ createdAt: new Date().toISOString() }));
  await page.locator(`a[href$="${id}"]`).waitFor();
  const { tab, heap } = await memory(page);

  console.log(`${STORED} stored, ${shown}: live after ${tookMs.toFixed(0)} ms, heap ${(heap / MB).toFixed(1)} MB, tab ${(tab / MB).toFixed(1)} MB`);
  assert.ok(tookMs < 2000, `${tookMs} ms`);
  assert.ok(tab < 100 * MB, `${tab} bytes`);
});
