// A phone: the real outbox of incident-mobile-ffi, in a process of its own (phone.rs).

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const PROGRAM = process.env.INCIDENT_PHONE ?? join(import.meta.dirname, "../../../target/release/phone");

export class Phone {
  #folder = mkdtempSync(join(tmpdir(), "incident-phone-"));
  #process;
  #lines;

  constructor(server, reporter) {
    const file = join(this.#folder, "outbox.sqlite");
    const address = [server.origin, server.token(reporter), reporter, file];
    this.#process = spawn(PROGRAM, address, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** Makes a report and answers with its key; nothing is sent yet. */
  report(locationId) {
    return this.#press(`report ${locationId}`);
  }

  cancel(key, reason) {
    return this.#press(`cancel ${key} ${reason}`);
  }

  /** `online`, `offline` or `loses-answers`. */
  network(connectivity) {
    return this.#press(connectivity);
  }

  /** Sends what is pending and says what came of it. */
  sync() {
    return this.#press("sync");
  }

  async end() {
    this.#process.stdin.end();
    await this.#lines.return?.();
    this.#process.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #press(line) {
    this.#process.stdin.write(`${line}\n`);
    const { done, value } = await this.#lines.next();
    if (done) throw new Error(`the phone ended at: ${line}`);
    return value;
  }
}
