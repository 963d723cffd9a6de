/** When a page reads again what it shows. */
import type { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { importStandings } from "../../apps/dashboard/live/import-standings.ts";
import { readAgain } from "../../apps/dashboard/live/read-again.ts";
import type { LiveImport } from "../../src/transfer/import-answer.ts";

const invalidateQueries = vi.fn(() => Promise.resolve());
// True of what is asked of it here.
const queries = { invalidateQueries } as unknown as QueryClient;

/** Each test an hour after the last one. */
let hour = 0;

beforeEach(() => {
  hour++;
  vi.useFakeTimers({ now: hour * 3_600_000 });
  invalidateQueries.mockClear();
});
afterEach(async () => {
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
});

test("a change by others is read at once, and those after it with a pause between", async () => {
  for (let saves = 0; saves < 40; saves++) {
    void readAgain(queries, { isOwn: false });
    await vi.advanceTimersByTimeAsync(250);
  }
  // Ten seconds.
  expect(invalidateQueries.mock.calls.length).toBeLessThanOrEqual(6);
  expect(invalidateQueries.mock.calls.length).toBeGreaterThanOrEqual(4);
  await vi.advanceTimersByTimeAsync(2_000);
  const read = invalidateQueries.mock.calls.length;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(invalidateQueries).toHaveBeenCalledTimes(read);
});

test("a change of the person's own waits for no pause, and takes what others did along", async () => {
  void readAgain(queries, { isOwn: false });
  await vi.advanceTimersByTimeAsync(100);
  expect(invalidateQueries).toHaveBeenCalledTimes(1);
  const told = readAgain(queries, { isOwn: false });
  const own = readAgain(queries, { isOwn: true });
  await vi.advanceTimersByTimeAsync(100);
  expect(invalidateQueries).toHaveBeenCalledTimes(2);
  await Promise.all([told, own]);
});

test("the batches of an import are one standing, its end is another, whatever the order", () => {
  const one = (state: LiveImport["state"], updatedAt: number) =>
    ({ state, updatedAt }) as LiveImport;
  const running = importStandings({ a: one("running", 1), b: one("finished", 0) });
  expect(importStandings({ b: one("finished", 0), a: one("running", 2) })).toBe(running);
  expect(importStandings({ a: one("finished", 3), b: one("finished", 0) })).not.toBe(running);
  expect(importStandings({})).not.toBe(running);
});
