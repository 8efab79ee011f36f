// A database that was restored from a copy: the board notices and begins anew.

import assert from "node:assert/strict";
import { test } from "node:test";

import { boardTests } from "./support/board_test.js";
import { live } from "./support/browser.js";
import { report, send } from "./support/reports.js";

const scene = boardTests();

test("what the restored database does not have is gone from the board, and what comes is shown", async () => {
  const { page } = await scene.openLive({}, /net::ERR|Failed to load resource/);
  await send(scene.server, scene.phone, report({ locationId: "kept" }));
  await page.getByRole("link", { name: /kept/ }).waitFor();

  await scene.server.kill();
  const restore = scene.server.backUp();
  await scene.server.start();
  await live(page);
  await send(scene.server, scene.phone, report({ locationId: "lost" }));
  await page.getByRole("link", { name: /lost/ }).waitFor();

  await scene.server.kill();
  restore();
  await scene.server.start();
  await page.getByRole("link", { name: /lost/ }).waitFor({ state: "detached" });
  await page.getByRole("link", { name: /kept/ }).waitFor();
  await live(page);
  await send(scene.server, scene.phone, report({ locationId: "afterwards" }));
  await page.getByRole("link", { name: /afterwards/ }).waitFor();
  assert.equal(await page.locator("#rows a").count(), 2);
});
