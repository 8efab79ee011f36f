// Text of reports is text: whatever it holds, nothing of it becomes markup, runs, or moves what stands around it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { boardTests } from "./support/board_test.js";
import { report, send } from "./support/reports.js";

const scene = boardTests();
const TEXTS = [
  "<img src=x onerror=alert(1)>",
  "</script><script>alert(1)</script>",
  "\"><svg onload=alert(1)>",
  "javascript:alert(1)",
  "{{constructor.constructor('alert(1)')()}}",
  "\u202eevil\u2066right to left",
  "قسم الطوارئ ٧",
  "🚨".repeat(64),
  "W".repeat(64),
];

test("hostile text stands in the list, the filters and the incident's page as it was written", async () => {
  const { page } = await scene.openLive();
  const before = await countOfMarkup(page);
  for (const text of TEXTS) {
    const payload = report({ locationId: text, roomNumber: text, cancellationReason: `${text}\n${text}` });
    const { id } = await send(scene.server, scene.phone, payload);
    await send(scene.server, scene.phone, report({ locationId: text }));
    const row = page.locator(`a[href$="${id}"]`);
    await row.waitFor();
    assert.equal(await row.locator(".location").textContent(), text);
    assert.equal(await page.locator("#location option").filter({ hasText: text }).first().textContent(), text);

    await row.click();
    await page.locator(".timeline .reason").waitFor();
    assert.equal(await page.locator("h1#incident-title bdi").first().textContent(), text);
    assert.equal(await page.locator(".timeline .reason").textContent(), `${text}\n${text}`);
    assert.equal(await page.locator("#incident").evaluate((article) => article.querySelectorAll("img, script, iframe, [onerror], [onload]").length), 0);
    await page.keyboard.press("Escape");
  }
  assert.equal(await countOfMarkup(page), before);
});

test("no text is so long or so wide that a phone must scroll sideways", async () => {
  const { page } = await scene.openLive({ viewport: { width: 360, height: 740 } });
  const wide = report({ locationId: "W".repeat(128), roomNumber: "M".repeat(64), cancellationReason: "Q".repeat(1000) });
  const { id } = await send(scene.server, scene.phone, wide);
  await send(scene.server, scene.phone, report({ locationId: "🚨".repeat(128) }));
  await page.locator(`a[href$="${id}"]`).waitFor();
  assert.equal(await overflow(page), 0);
  await page.locator(`a[href$="${id}"]`).click();
  await page.locator(".timeline .reason").waitFor();
  assert.equal(await overflow(page), 0);
});

test("the browser itself refuses markup made from text", async () => {
  const { page } = await scene.open({}, /Trusted|Content Security Policy/);
  const refused = await page.evaluate(() => {
    try {
      document.createElement("p").innerHTML = "<b>text</b>";
      return false;
    } catch (error) {
      return error instanceof TypeError;
    }
  });
  assert.ok(refused);
});

function countOfMarkup(page) {
  return page.evaluate(() => document.querySelectorAll("img, script, iframe, object, embed, style, base").length);
}

function overflow(page) {
  return page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth));
}
