// Who gets in, and what is said to who does not.

import assert from "node:assert/strict";
import { test } from "node:test";

import { boardTests } from "./support/board_test.js";
import { live, signIn } from "./support/browser.js";

const scene = boardTests();

test("a pasted token opens the board, and stays in its tab only", async () => {
  const { page, context } = await scene.open();
  await signIn(page, `Bearer ${scene.reader}\n`);
  await live(page);
  await page.reload();
  await live(page);

  const other = await context.newPage();
  await other.goto(scene.server.origin);
  await other.getByLabel("Access token").waitFor();

  assert.equal(await page.evaluate(() => localStorage.length), 0);
  assert.deepEqual(await context.cookies(), []);
  assert.ok(!page.url().includes(scene.reader));
});

test("a sign-out forgets the token", async () => {
  const { page } = await scene.openLive();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Access token").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await page.reload();
  await page.getByLabel("Access token").waitFor();
});

test("a token that may not read is told so, and which scope it lacks", async () => {
  const { page } = await scene.open({}, /status of 403/);
  await signIn(page, scene.phone);
  await page.getByRole("alert").filter({ hasText: "lacks the scope incidents:read" }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test("a token that the server does not take is told so", async () => {
  const { page } = await scene.open({}, /status of 401/);
  await signIn(page, "no.such.token");
  await page.getByRole("alert").filter({ hasText: "does not take this token" }).waitFor();
  await signIn(page, scene.reader);
  await live(page);
  assert.equal(await page.getByRole("alert").isVisible(), false);
});

test("a token that is taken no longer leads back to the way in, from an incident too", async () => {
  const { page } = await scene.openLive({}, /status of 401/);
  await page.route("**/api/**", (route) => route.fulfill({ status: 401, contentType: "application/problem+json", body: "{}" }));
  await page.goto(`${scene.server.origin}/#/incidents/01a202c0-f648-8114-8d97-64d571c679d1`);
  await page.getByRole("alert").filter({ hasText: "may have expired" }).waitFor();
});
