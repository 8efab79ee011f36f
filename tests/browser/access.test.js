// For everybody: checked by axe-core in light and dark, on a desk and on a phone; operated by keys alone.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

import { boardTests } from "./support/board_test.js";
import { live } from "./support/browser.js";
import { report, send, sendAll } from "./support/reports.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const DESK = { width: 1360, height: 900 };
const PHONE = { width: 375, height: 720 };
let cancelled;

const scene = boardTests(async (scene) => {
  await sendAll(scene.server, scene.phone, [
    ...Array.from({ length: 14 }, (_, index) => report({ locationId: `ward-${index}` })),
    report({ isAnonymous: true, createdAt: "2019-05-01T10:00:00Z" }),
  ]);
  cancelled = (await send(scene.server, scene.phone, report({ isAnonymous: true, createdAt: "2019-05-02T10:00:00Z", cancellationReason: "Over." }))).id;
});

for (const colorScheme of ["light", "dark"]) {
  for (const [size, viewport] of [["desk", DESK], ["phone", PHONE]]) {
    test(`axe-core finds nothing: ${colorScheme}, ${size}`, async () => {
      const look = { colorScheme, viewport, reducedMotion: "reduce" };
      const { page } = await scene.open(look, /status of 401/);
      await assertAccessible(page, "the way in");

      const { page: board } = await scene.openLive(look);
      await board.locator("#rows a").first().waitFor();
      await assertAccessible(board, "the board");
      await board.goto(`${scene.server.origin}/#/incidents/${cancelled}`);
      await board.locator('.timeline [data-kind="cancelled"]').waitFor();
      await assertAccessible(board, "an incident");
      assert.equal(await board.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
    });
  }

  test(`axe-core finds nothing while the stream is down: ${colorScheme}`, async () => {
    const { page } = await scene.openLive({ colorScheme }, /net::ERR|Failed to load/);
    await scene.server.kill();
    try {
      await page.getByText("The stream has been down since").waitFor();
      await assertAccessible(page, "the banner");
    } finally {
      await scene.server.start();
    }
  });
}

test("everything can be done by keys alone", async () => {
  const { page } = await scene.open();
  await page.keyboard.insertText(scene.reader);
  await page.keyboard.press("Enter");
  await live(page);

  await tabTo(page, (element) => element.id === "sign-out", "Shift+Tab");
  await tabTo(page, (element) => element.name === "status");
  await page.keyboard.press("ArrowRight");
  await page.locator("#rows li").nth(15).waitFor({ state: "detached" });

  await tabTo(page, (element) => element.matches("#rows a"));
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  const third = await page.evaluate(() => [...document.querySelectorAll("#rows a")].indexOf(document.activeElement));
  assert.equal(third, 2);
  const chosen = await page.evaluate(() => document.activeElement.hash);
  await page.keyboard.press("Enter");
  await page.locator(".timeline").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "incident-title");

  await tabTo(page, (element) => element.getAttribute("aria-label") === "Zoom out");
  await page.keyboard.press("Space");
  await page.getByText(/across, \d+ other open/).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "Reports" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.hash), chosen, "back where it was left");
});

test("the focus stays where it is while reports arrive above and the row itself changes", async () => {
  const { page } = await scene.openLive();
  const payload = report({ locationId: "held" });
  const { id } = await send(scene.server, scene.phone, payload);
  const row = page.locator(`a[href$="${id}"]`);
  await row.focus();

  const { id: newer } = await send(scene.server, scene.phone, report());
  await page.locator(`a[href$="${newer}"]`).waitFor();
  assert.ok(await row.evaluate((link) => link === document.activeElement));
  await send(scene.server, scene.phone, { ...payload, cancellationReason: "Over." });
  await row.getByText("Cancelled").waitFor();
  assert.ok(await row.evaluate((link) => link === document.activeElement));
});

async function tabTo(page, isThere, key = "Tab") {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press(key);
    if (await page.evaluate(`(${isThere})(document.activeElement)`)) return;
  }
  assert.fail(`no ${key} leads to ${isThere}`);
}

async function assertAccessible(page, what) {
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: tags }), TAGS);
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map(({ html }) => html).join("\n  ")}`);
  assert.ok(passes.length > 5, "axe-core ran");
  assert.deepEqual(told, [], what);
}
