// One server and one browser for the tests of a file; after each test the page must have logged nothing and
// asked nobody else.

import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";

import { launch, openBoard, openLiveBoard } from "./browser.js";
import { Server } from "./server.js";

/** `prepare` is called once, before the tests of the file, with the server running. */
export function boardTests(prepare = async () => {}) {
  const scene = { server: null, browser: null };
  let opened = [];

  before(async () => {
    [scene.server, scene.browser] = await Promise.all([Server.start(), launch()]);
    scene.phone = scene.server.token("alice");
    scene.reader = scene.server.token("responder", "incidents:read");
    await prepare(scene);
  });
  after(async () => {
    await scene.browser?.close();
    await scene.server?.end();
  });
  afterEach(async () => {
    const pages = opened;
    opened = [];
    for (const { context } of pages) await context.close();
    for (const { seen } of pages) assert.deepEqual(seen, { errors: [], strangers: [] });
  });

  const keep = (page) => {
    opened.push(page);
    return page;
  };
  /** A tab on the way in, or signed in and live. `expected` are the console errors that belong to the test. */
  scene.open = async (options, expected) => expecting(keep(await openBoard(scene.browser, scene.server, options)), expected);
  scene.openLive = async (options, expected) => expecting(keep(await openLiveBoard(scene.browser, scene.server, options)), expected);
  return scene;
}

function expecting(opened, expected) {
  if (!expected) return opened;
  const { push } = opened.seen.errors;
  opened.seen.errors.push = (text) => (expected.test(text) ? 0 : push.call(opened.seen.errors, text));
  Object.defineProperty(opened.seen.errors, "push", { enumerable: false });
  return opened;
}
