// From the outbox of a phone to the board: what its owner does offline arrives once, as they left it.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { boardTests } from "./support/board_test.js";
import { Phone } from "./support/phone.js";

let phone;
const scene = boardTests(async ({ server }) => {
  phone = new Phone(server, "nurse");
});
after(() => phone?.end());

test("a report made offline arrives when the network is back, and so does its cancellation", async () => {
  const { page } = await scene.openLive();
  await phone.network("offline");
  const key = await phone.report("made-offline");
  assert.equal(await phone.sync(), "sent 0 lost 0 pending 1 settled 0");
  assert.equal(await page.locator("#rows a").count(), 0);

  await phone.network("online");
  assert.equal(await phone.sync(), "sent 1 lost 0 pending 0 settled 1");
  await page.getByRole("link", { name: /^Open.*made-offline/ }).waitFor();

  await phone.cancel(key, "It was nothing.");
  await phone.sync();
  const row = page.getByRole("link", { name: /^Cancelled.*made-offline/ });
  await row.waitFor();
  await row.click();
  await page.locator(".timeline").getByText("It was nothing.").waitFor();
  await page.locator(".facts").getByText("nurse").waitFor();
});

test("a report whose answer was lost and that was sent again stands on the board once", async () => {
  const { page } = await scene.openLive();
  await phone.report("answer-lost");
  await phone.network("loses-answers");
  assert.match(await phone.sync(), /^sent 1 lost 1 pending 1/);
  const rows = page.getByRole("link", { name: /answer-lost/ });
  await rows.waitFor();

  await phone.network("online");
  assert.match(await phone.sync(), /^sent 1 lost 0 pending 0/);
  await phone.report("after-it");
  await phone.sync();
  await page.getByRole("link", { name: /after-it/ }).waitFor();
  assert.equal(await rows.count(), 1);
});
