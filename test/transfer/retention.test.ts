/** Which backups are kept. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { retainedBackups, type KeptBackup } from "../../src/transfer/retention.ts";

const DAY_MS = 86_400_000;
/** A decade around the turn of a year, so that ISO weeks cross it. */
const backups = fc
  .array(
    fc.record({
      createdAt: fc.integer({ min: Date.UTC(2024, 11, 1), max: Date.UTC(2027, 1, 28) }),
      isVerified: fc.boolean(),
      askedBy: fc.constantFrom(null, "dashboard", "app"),
    }),
    { maxLength: 120 },
  )
  .map((all) => all.map((backup, index) => ({ ...backup, id: `b${index}` })));

test("of backups by schedule that nobody verified, the newest of each of the last days, weeks and months is kept, and nothing else", () => {
  fc.assert(
    fc.property(backups, (some) => {
      const all = some.map((backup) => ({ ...backup, isVerified: false, askedBy: null }));
      const kept = retainedBackups(all);
      const expected = new Set([
        ...newestOf(all, (time) => new Date(time).toISOString().slice(0, 10), 7),
        ...newestOf(all, isoWeek, 4),
        ...newestOf(all, (time) => new Date(time).toISOString().slice(0, 7), 6),
      ]);
      expect([...kept].sort()).toEqual([...expected].sort());
      expect(kept.size).toBeLessThanOrEqual(17);
    }),
  );
});

test("no verified backup goes while one of the same day, week or month stays in its place, and the newest always stays", () => {
  fc.assert(
    fc.property(backups, (all) => {
      const kept = retainedBackups(all);
      const verified = all.filter(({ isVerified }) => isVerified);
      const isLatest = (time: number, periodOf: (time: number) => string, periods: number) =>
        newestOf(all, periodOf, periods).some(
          (id) => periodOf(all.find((one) => one.id === id)?.createdAt ?? 0) === periodOf(time),
        );
      for (const [periodOf, periods] of [
        [(time: number) => new Date(time).toISOString().slice(0, 10), 7],
        [isoWeek, 4],
        [(time: number) => new Date(time).toISOString().slice(0, 7), 6],
      ] as const) {
        for (const id of newestOf(verified, periodOf, verified.length)) {
          const time = all.find((one) => one.id === id)?.createdAt ?? 0;
          if (isLatest(time, periodOf, periods)) expect(kept).toContain(id);
        }
      }
      for (const id of newestOf(all, () => "ever", 1)) expect(kept).toContain(id);
      expect(kept.size).toBeLessThanOrEqual(38);
    }),
  );
});

test("the latest seven of each who asked for them are kept, whatever others made after them", () => {
  fc.assert(
    fc.property(backups, fc.constantFrom("dashboard", "app"), (all, asker) => {
      const own = all.filter(({ askedBy }) => askedBy === asker);
      const latest = newestOf(own, (time) => String(time).padStart(16, "0"), 7);
      for (const id of latest) expect(retainedBackups(all)).toContain(id);
    }),
  );
});

test("a client that signs in again and again leaves the backups of its latest grants, and pushes out none of the person's", () => {
  const all = Array.from({ length: 40 }, (_, at) => ({
    id: `b${at}`,
    createdAt: Date.UTC(2026, 0, 1) + at,
    isVerified: false,
    askedBy: at < 7 ? "dashboard" : `grant ${at}`,
  }));
  const kept = retainedBackups(all);
  const latest = [...all.slice(0, 7), ...all.slice(-10)].map(({ id }) => id);
  expect([...kept].sort()).toEqual(latest.sort());
});

test("removing what is not kept changes nothing about what is kept", () => {
  fc.assert(
    fc.property(backups, (all) => {
      const kept = retainedBackups(all);
      expect(retainedBackups(all.filter(({ id }) => kept.has(id)))).toEqual(kept);
    }),
  );
});

test("a backup a day for a year, pruned each night, leaves 7 days, 4 weeks and 6 months", () => {
  let held: KeptBackup[] = [];
  for (let day = 0; day < 365; day++) {
    const createdAt = Date.UTC(2026, 0, 1) + day * DAY_MS;
    held.push({ id: `day ${day}`, createdAt, isVerified: false, askedBy: null });
    const kept = retainedBackups(held);
    held = held.filter(({ id }) => kept.has(id));
  }
  expect(held.map(({ createdAt }) => new Date(createdAt).toISOString().slice(0, 10))).toEqual([
    // The last days of months.
    "2026-07-31",
    "2026-08-31",
    "2026-09-30",
    "2026-10-31",
    "2026-11-30",
    // Sundays.
    "2026-12-13",
    "2026-12-20",
    // Days, the last Sunday among them.
    "2026-12-25",
    "2026-12-26",
    "2026-12-27",
    "2026-12-28",
    "2026-12-29",
    "2026-12-30",
    "2026-12-31",
  ]);
});

function newestOf(
  all: readonly Pick<KeptBackup, "id" | "createdAt">[],
  periodOf: (time: number) => string,
  periods: number,
): string[] {
  const groups = Object.groupBy(all, ({ createdAt }) => periodOf(createdAt));
  return Object.entries(groups)
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .slice(0, periods)
    .flatMap(([, group = []]) =>
      group
        .toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
        .slice(0, 1)
        .map(({ id }) => id),
    );
}

/** As ISO 8601 counts: the week of a day is the one of its Thursday, counted in that Thursday's year. */
function isoWeek(time: number): string {
  const day = new Date(time - (time % DAY_MS));
  const thursday = new Date(day.getTime() + (4 - (day.getUTCDay() || 7)) * DAY_MS);
  const yearBegins = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = Math.floor((thursday.getTime() - yearBegins) / DAY_MS / 7) + 1;
  return `${thursday.getUTCFullYear()}-${String(week).padStart(2, "0")}`;
}
