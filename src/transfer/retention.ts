/**
 * Which backups are kept: of each of the last 7 days that have one the newest, and the newest that was verified; of each of the last
 * 4 weeks and 6 months the newest that was verified, or where none was the newest; and the latest 7 that the
 * person made, and that each app and token made: none of them pushes out another's. Of apps and tokens those that made one last count:
 * who signs in again is another one, and nobody takes the backups of the one before away.
 * Days, ISO weeks and months are UTC.
 */
const DAYS = 7;
const WEEKS = 4;
const MONTHS = 6;
/** Arbitrary. Not by time: whoever makes many a day must not fill the bucket. */
const BY_HAND = 7;
/** Arbitrary: more than one person has make backups. */
const ASKERS = 10;
/** The person's own, whatever others made since (`user-agent.ts`). */
const DASHBOARD = "dashboard";

export interface KeptBackup {
  readonly id: string;
  /** Milliseconds UTC. */
  readonly createdAt: number;
  readonly isVerified: boolean;
  /** Who asked for it: the dashboard, an app, a token. Null: the schedule, or a restore. */
  readonly askedBy: string | null;
}

/** Periods without a backup count for none, so who is away for a year keeps what there was. @returns ids */
export function retainedBackups(backups: readonly KeptBackup[]): ReadonlySet<string> {
  const newestFirst = backups.toSorted(
    (a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1),
  );
  const verifiedFirst = newestFirst.toSorted((a, b) => Number(b.isVerified) - Number(a.isVerified));
  return new Set([
    ...firstOfEach(newestFirst, dayOf, DAYS),
    ...firstOfEach(verifiedFirst, dayOf, DAYS),
    ...firstOfEach(verifiedFirst, weekOf, WEEKS),
    ...firstOfEach(verifiedFirst, monthOf, MONTHS),
    ...latestOfEachAsker(newestFirst),
  ]);
}

function latestOfEachAsker(newestFirst: readonly KeptBackup[]): string[] {
  const asked = newestFirst.filter(({ askedBy }) => askedBy !== null);
  // In the order of each one's newest.
  const byAsker = Map.groupBy(asked, ({ askedBy }) => askedBy);
  const others = [...byAsker.keys()].filter((asker) => asker !== DASHBOARD).slice(0, ASKERS);
  return [DASHBOARD, ...others].flatMap((asker) =>
    (byAsker.get(asker) ?? []).slice(0, BY_HAND).map(({ id }) => id),
  );
}

/** Of each of the latest periods the one that comes first. */
function firstOfEach(
  backups: readonly KeptBackup[],
  periodOf: (time: number) => string,
  periods: number,
): string[] {
  const first = new Map<string, string>();
  for (const { id, createdAt } of backups) {
    const period = periodOf(createdAt);
    if (!first.has(period)) first.set(period, id);
  }
  // Names of periods sort by time.
  return [...first]
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .slice(0, periods)
    .map(([, id]) => id);
}

const DAY_MS = 86_400_000;

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** By its Thursday, which names the year too (ISO 8601). 1970-01-01 was a Thursday. */
function weekOf(time: number): string {
  const day = Math.floor(time / DAY_MS);
  return dayOf(Math.floor((day + 3) / 7) * 7 * DAY_MS);
}

function monthOf(time: number): string {
  return new Date(time).toISOString().slice(0, 7);
}
