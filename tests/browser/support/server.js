// The real server, on a throw-away directory; it can be cut off and brought back at the same address.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROGRAM = process.env.INCIDENT_SERVER_BIN ?? join(import.meta.dirname, "../../../target/release/incident-server");

export class Server {
  #directory = mkdtempSync(join(tmpdir(), "incident-board-"));
  #process;

  static async start() {
    const server = new Server();
    server.port = await freePort();
    await server.start();
    return server;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts the program and waits until it says that it listens. */
  async start() {
    const flags = ["--data-dir", this.#directory, "--listen", `127.0.0.1:${this.port}`, "--rate-limit", "off", "--payload-rate-limit", "off"];
    this.#process = spawn(PROGRAM, flags, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, INCIDENT_LOG: "warn" } });
    const ended = once(this.#process, "exit").then(([code]) => { throw new Error(`the server ended with ${code}`); });
    const listens = new Promise((resolve) => {
      this.#process.stdout.on("data", (text) => String(text).includes("listens on") && resolve());
    });
    await Promise.race([listens, ended]);
    ended.catch(() => {});
  }

  /** Ends the program at once, as a power cut does. */
  async kill() {
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
  }

  /** Stores so many incidents of the last two years; the program is stopped for that and started again. */
  async fill(count) {
    await this.kill();
    execFileSync("python3", [join(import.meta.dirname, "fill.py"), join(this.#directory, "incidents.sqlite"), String(count)]);
    await this.start();
  }

  /** Copies the data of the program, which must not run, and answers with how to put them back. */
  backUp() {
    const copy = mkdtempSync(join(tmpdir(), "incident-backup-"));
    cpSync(this.#directory, copy, { recursive: true });
    return () => {
      rmSync(this.#directory, { recursive: true });
      cpSync(copy, this.#directory, { recursive: true });
      rmSync(copy, { recursive: true });
    };
  }

  /** Stops the program where it stands: connections stay, nothing is said. */
  freeze() {
    this.#process.kill("SIGSTOP");
  }

  thaw() {
    this.#process.kill("SIGCONT");
  }

  async end() {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** A token for somebody, with a scope or without. */
  token(sub, scope = undefined) {
    const flags = ["token", "--data-dir", this.#directory, "--sub", sub, ...(scope ? ["--scope", scope] : [])];
    return execFileSync(PROGRAM, flags, { encoding: "utf8" }).trim();
  }
}

async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  await once(listener, "close");
  return port;
}
