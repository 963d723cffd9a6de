/** What runs step by step behind an answer (an export, a backup, a restore) goes on when the server was killed in the middle of it. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startKilledServer, type KilledServer } from "./server.ts";

/** Each of the three takes half a second and more with them. */
const MEMORIES = 12_000;
const AT_ONCE = 4_000;
/** Milliseconds between the request and the kill: before the first step, in the middle, near the end. */
const MOMENTS = [30, 150, 300];
const WAIT = { timeout: 90_000, interval: 100 };

let server: KilledServer;
let token: string;

beforeAll(async () => {
  server = await startKilledServer();
  token = await server.token("someone", "Test");
  await ask("PATCH", "/api/rules", { max_memories: 2 * MEMORIES });
  for (let from = 0; from < MEMORIES; from += AT_ONCE) {
    const memories = Array.from({ length: AT_ONCE }, (_, at) => ({
      id: `m${from + at}`,
      memory: `The lamp number ${from + at} stands in hall ${at % 40}.`,
    }));
    await ask("POST", "/api/imports", memories);
  }
});
afterAll(() => server.remove());

test("a killed export goes on with the next request, and holds everything once", async () => {
  for (const moment of MOMENTS) {
    await killedIn(moment, "/api/exports", { format: "pam" });
    const { exports } = await ask("GET", "/api/exports");
    // Killed before it was written down, it is nothing that anyone was told of.
    if (exports.length === 0) continue;
    const finished = await vi.waitFor(async () => {
      const asked = await ask("GET", `/api/exports/${exports[0].job.id}`);
      expect(asked.job.state).toBe("finished");
      return asked;
    }, WAIT);
    const { pathname } = new URL(finished.download.url);
    const { text } = await server.ask("GET", pathname, { token });
    const numbers = Array.from(text.matchAll(/lamp number (\d+) /g), ([, number]) => number);
    expect([numbers.length, new Set(numbers).size]).toEqual([MEMORIES, MEMORIES]);
  }
});

test("a killed backup goes on, and a killed restore of it", async () => {
  for (const moment of MOMENTS) {
    await killedIn(moment, "/api/backups", {});
    const { backups } = await ask("GET", "/api/backups");
    if (backups.length === 0) continue;
    const { id } = backups[0];
    const { rows } = await vi.waitFor(async () => {
      const { backup } = await ask("GET", `/api/backups/${id}`);
      expect(backup.state).toBe("finished");
      return backup;
    }, WAIT);
    expect(rows.memories).toBe(MEMORIES);

    await ask("POST", "/api/memories", { content: "Saved after the backup." });
    await killedIn(2 * moment, `/api/backups/${id}/restore`, { mode: "whole" });
    await vi.waitFor(async () => expect((await statistics()).active).toBe(MEMORIES), WAIT);
    // While a restore is at work a backup is refused.
    await vi.waitFor(() => ask("POST", "/api/backups", {}), WAIT);
  }
});

/** The server is killed so many milliseconds after a request, and started again. */
async function killedIn(moment: number, path: string, body: object): Promise<void> {
  const asked = server.ask("POST", path, { token, body }).then(
    () => "answered",
    () => "broken off",
  );
  await delay(moment);
  await server.kill();
  // It answers when the work is done, so it was at work.
  expect(await asked, `${path} after ${moment} ms`).toBe("broken off");
  await server.start();
}

async function statistics() {
  return (await ask("GET", "/api/stats")).memories;
}

// Answers are read key by key.
async function ask(method: string, path: string, body?: unknown): Promise<any> {
  const { status, text } = await server.ask(method, path, { token, body });
  if (status >= 400) throw new Error(`${method} ${path}: ${status} ${text}`);
  return JSON.parse(text);
}
