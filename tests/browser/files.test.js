// What the server hands out, and what it lets a browser do with it.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { boardTests } from "./support/board_test.js";

const scene = boardTests();
const BOARD = join(import.meta.dirname, "../../incident-server/board");

test("every file of the board is in the program, as it is in the repository", async () => {
  const files = readdirSync(BOARD, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(BOARD.length + 1));
  assert.ok(names.length > 20);
  for (const name of names) {
    const response = await fetch(`${scene.server.origin}/board/${name}`);
    assert.equal(response.status, 200, name);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), readFileSync(join(BOARD, name)), name);
  }
});

test("a browser may run, load and ask nothing but the server itself", async () => {
  for (const path of ["/", "/board/js/main.js", "/board/nothing.js"]) {
    const { headers } = await fetch(`${scene.server.origin}${path}`);
    const policy = headers.get("Content-Security-Policy").split("; ");
    const expected = ["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
      "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"];
    assert.deepEqual(policy, expected);
    assert.equal(headers.get("X-Content-Type-Options"), "nosniff");
    assert.equal(headers.get("Referrer-Policy"), "no-referrer");
  }
});

test("what the board does not have is a problem as everywhere", async () => {
  const response = await fetch(`${scene.server.origin}/board/../board/%2e%2e/Cargo.toml`);
  assert.equal(response.status, 404);
  assert.equal((await response.json()).type, "/problems/not-found");
});

test("events are read whole however the network cuts them", async () => {
  const { page } = await scene.open();
  const read = await page.evaluate(async () => {
    const { Parser } = await import("/board/js/sse.js");
    const text = ": hello\r\n\r\nid: 1\r\nevent: created\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\nid: 2\ndata:two\n\ndata\n\nretry: 5\nignored: x\n\n";
    const whole = new Parser().push(text);
    const parser = new Parser();
    const cut = [...text].flatMap((character) => parser.push(character));
    return { whole, cut };
  });
  assert.deepEqual(read.whole, [
    { id: "1", event: "created", data: "{\"a\":\n1}" },
    { id: "2", event: "message", data: "two" },
    { id: "2", event: "message", data: "" },
  ]);
  assert.deepEqual(read.cut, read.whole);
});
