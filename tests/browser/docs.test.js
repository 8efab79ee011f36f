// The page of the API runs its own scripts and nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";

import { boardTests } from "./support/board_test.js";

const scene = boardTests(async () => {});

test("the page of the API works under its policy", async () => {
  const { page, seen } = await scene.open();
  const answer = await page.goto(`${scene.server.origin}/docs/`);
  const policy = answer.headers()["content-security-policy"];

  await page.getByText("/api/incidents/sync/batch").first().waitFor();
  await page.getByRole("button", { name: "Authorize" }).click();

  assert.match(policy, /default-src 'none'; script-src 'self';/);
  assert.deepEqual(seen, { errors: [], strangers: [] });
});
