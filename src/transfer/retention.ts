/** Which backups are kept: the newest of each of the last 7 days, 4 weeks and 6 months that have one. Days, ISO weeks and months are UTC. */
const DAYS = 7;
const WEEKS = 4;
const MONTHS = 6;

export interface KeptBackup {
  readonly id: string;
  /** Milliseconds UTC. */
  readonly createdAt: number;
}

/** Periods without a backup count for none, so who is away for a year keeps what there was. @returns ids */
export function retainedBackups(backups: readonly KeptBackup[]): ReadonlySet<string> {
  const newestFirst = backups.toSorted(
    (a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1),
  );
  return new Set([
    ...newestOfEach(newestFirst, dayOf, DAYS),
    ...newestOfEach(newestFirst, weekOf, WEEKS),
    ...newestOfEach(newestFirst, monthOf, MONTHS),
  ]);
}

function newestOfEach(
  newestFirst: readonly KeptBackup[],
  periodOf: (time: number) => string,
  periods: number,
): string[] {
  const newest = new Map<string, string>();
  for (const { id, createdAt } of newestFirst) {
    const period = periodOf(createdAt);
    if (!newest.has(period)) newest.set(period, id);
    if (newest.size === periods) break;
  }
  return [...newest.values()];
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
