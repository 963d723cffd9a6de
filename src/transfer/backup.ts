/**
 * Backups: the user's rows as they are, in chunks, the manifest last. No key is needed, and none is opened.
 *
 * D1 has no snapshot across requests. So the mark of changes is read before the first row and after the last one; where it is another,
 * everything is read again. An account that never rests (an import of hours) is kept as it was met, page by page: what is
 * missing then stands in the next backup, and a restore leaves out what does not fit together.
 */
import { UserError } from "../errors.ts";
import { sha256, type BackupChunk } from "../storage/backup-files.ts";
import {
  countsOf,
  SCHEDULE,
  type BackupCounts,
  type BackupJob,
  type BackupMaker,
  type BackupStore,
  type ChangeMark,
} from "../storage/backups.ts";
import { BACKUP_TABLES, linesOf } from "../storage/backup-tables.ts";
import type { BackupStores } from "../storage/open-account.ts";
import { utf8 } from "../vault/bytes.ts";
import { newJobId } from "../vault/ids.ts";
import { retainedBackups } from "./retention.ts";

/** Runs work once, and again until it succeeds: its result is remembered across restarts. Of a Workflow. */
export type Step = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** What a Workflow is started with. Ids only: the platform keeps it. */
export type BackupWork =
  | { readonly do: "back up"; readonly jobId: string; readonly rehearse: boolean }
  | { readonly do: "rehearse"; readonly jobId: string }
  /** `jobId` of the restore, which names the backup. */
  | { readonly do: "restore"; readonly jobId: string };

const FORMAT = "rows";
const DAY_MS = 86_400_000;
/** Each is a statement and an object, and one more says that the job is at work: far below the 50 of an invocation on the free plan. */
const PAGES_A_STEP = 12;
/** Readings of the whole until nothing changes in between; arbitrary. */
const READINGS = 3;
/** How long a job may be silent before another one may begin. Arbitrary; a step that is tried again and again takes a quarter of it. */
const STALE_MS = 3_600_000;
/** Backups that failed a rehearsal: what is whole in them may still be of use to who reads R2. */
const FAILED_KEPT_MS = 30 * DAY_MS;

/**
 * Of one that is being written already, its job: two at once would hold the same.
 * @throws UserError version_conflict while a restore is at work: between two of its steps an account is not what anyone would want back
 */
export async function createBackup(
  backups: BackupStore,
  maker: BackupMaker,
  now: number,
  id = newJobId(),
): Promise<{ readonly job: BackupJob; readonly isNew: boolean }> {
  const job = newBackup(id, now, null);
  const rivals = ["backup", "restore"] as const;
  const isNew = await backups.create(job, maker, { rivals, silentSince: silentSince(now) });
  if (isNew) return { job: await requireBackup(backups, job.id), isNew };
  await refuseWhileRestoring(backups, now);
  const other = await backups.newest("backup", ["running", "finished"]);
  return other === null ? createBackup(backups, maker, now, id) : { job: other, isNew };
}

/** Of the account as it is before a restore. @returns its id */
export async function createSafetyBackup(
  backups: BackupStore,
  maker: BackupMaker,
  { now, keptUntil }: { readonly now: number; readonly keptUntil: number },
): Promise<string> {
  const job = newBackup(newJobId(), now, keptUntil);
  await backups.create(job, maker, { rivals: [], silentSince: silentSince(now) });
  return job.id;
}

/** @param keptUntil milliseconds UTC; null: as long as the days, weeks and months say */
function newBackup(id: string, now: number, keptUntil: number | null) {
  return {
    id,
    kind: "backup",
    format: FORMAT,
    counts: "{}",
    createdAt: now,
    expiresAt: keptUntil,
  } as const;
}

/** @throws UserError version_conflict */
export async function refuseWhileRestoring(backups: BackupStore, now: number): Promise<void> {
  const running = await restoreAtWork(backups, now);
  if (running === null) return;
  throw new UserError(
    "version_conflict",
    "A restore is running.",
    `Wait for it: GET /api/restores/${running.id}.`,
  );
}

async function restoreAtWork(backups: BackupStore, now: number): Promise<BackupJob | null> {
  const running = await backups.newest("restore", ["running"]);
  return running !== null && running.updatedAt > silentSince(now) ? running : null;
}

/** What has said nothing since then is over. */
export function silentSince(now: number): number {
  return now - STALE_MS;
}

/** A job that fell silent is over, although nobody has written so yet: the next one does. */
export function stateOf({ state, updatedAt }: BackupJob, now: number): BackupJob["state"] {
  return state === "running" && updatedAt <= silentSince(now) ? "failed" : state;
}

/** Each step says first that the job is at work, and none is begun for one that someone has ended. */
export function stepsOf(step: Step, backups: BackupStore, jobId: string): Step {
  return (name, work) =>
    step(name, async () => {
      await backups.touch(jobId, Date.now());
      return work();
    });
}

/** @throws UserError not_found */
export async function requireBackup(backups: BackupStore, id: string): Promise<BackupJob> {
  const job = await backups.get("backup", id);
  if (job !== null) return job;
  throw new UserError(
    "not_found",
    "There is no backup with this id.",
    "GET /api/backups lists them.",
  );
}

/** @throws UserError not_found, invalid_input */
export async function requireFinished(backups: BackupStore, id: string): Promise<BackupJob> {
  const job = await requireBackup(backups, id);
  if (job.state === "finished") return job;
  throw job.state === "running"
    ? new UserError("not_found", "This backup is still being written.", "Ask again in a moment.")
    : new UserError(
        "invalid_input",
        "This backup is not whole.",
        "GET /api/backups says why, and lists others.",
      );
}

/** After a step that gave up the job says so, and what was written is taken back. */
export async function writeBackup(step: Step, stores: BackupStores, jobId: string): Promise<void> {
  try {
    await write(step, stores, jobId);
  } catch (error) {
    await step("take back", () => takeBack(stores, jobId));
    throw error;
  }
}

async function write(step: Step, stores: BackupStores, jobId: string): Promise<void> {
  const { backups, files } = stores;
  const workStep = stepsOf(step, backups, jobId);
  const migration = await workStep("migration", () => backups.newestMigration());
  for (let reading = 1; ; reading++) {
    const mark = await workStep(`begin ${reading}`, () => backups.mark());
    const chunks = await writeChunks(workStep, stores, { jobId, reading });
    const isSettled = await workStep(`end ${reading}`, async () =>
      isSameMark(mark, await backups.mark()),
    );
    if (isSettled || reading === READINGS) {
      const { operation, changes } = mark;
      await step("finish", async () => {
        const now = Date.now();
        const tables = await tablesOf(chunks);
        const hash = await files.writeManifest(jobId, {
          format: "cofio-backup",
          version: 1,
          created_at: new Date(now).toISOString(),
          migration,
          operation,
          settled: isSettled,
          tables,
          chunks,
        });
        const rows = Object.fromEntries(tables.map((table) => [table.name, table.rows]));
        await backups.finish(jobId, {
          operationId: operation,
          counts: JSON.stringify({ rows, changes } satisfies BackupCounts),
          chunks: chunks.length,
          sizeBytes: chunks.reduce((sum, { bytes }) => sum + bytes, 0),
          sha256: hash,
          now,
        });
      });
      return;
    }
  }
}

/** Whether an account holds what it held. */
export function isSameMark(one: ChangeMark, other: ChangeMark): boolean {
  return one.operation === other.operation && one.changes === other.changes;
}

interface PageCursor {
  /** Of BACKUP_TABLES. */
  readonly table: number;
  readonly after: readonly (string | number)[] | null;
}

async function writeChunks(
  step: Step,
  { backups, files, stepSize }: BackupStores,
  { jobId, reading }: { readonly jobId: string; readonly reading: number },
): Promise<BackupChunk[]> {
  const chunks: BackupChunk[] = [];
  let cursor: PageCursor | null = { table: 0, after: null };
  while (cursor !== null) {
    const from: PageCursor = cursor;
    const first = chunks.length;
    const done: { written: BackupChunk[]; next: PageCursor | null } = await step(
      `rows ${reading}.${first}`,
      async () => {
        const written: BackupChunk[] = [];
        let next: PageCursor | null = from;
        while (next !== null && written.length < PAGES_A_STEP * stepSize) {
          const { table: at, after }: PageCursor = next;
          const table = BACKUP_TABLES[at];
          if (table === undefined) throw new Error("A cursor is beyond the tables of a backup");
          const { rows, last } = await backups.readPage(table, after);
          const file = await files.writeChunk(jobId, first + written.length, linesOf(rows));
          written.push({ table: table.name, rows: rows.length, last, ...file });
          const isEnd = at === BACKUP_TABLES.length - 1;
          if (last !== null) next = { table: at, after: last };
          else next = isEnd ? null : { table: at + 1, after: null };
        }
        return { written, next };
      },
    );
    chunks.push(...done.written);
    cursor = done.next;
  }
  return chunks;
}

function tablesOf(chunks: readonly BackupChunk[]) {
  return Promise.all(
    BACKUP_TABLES.map(async ({ name, columns }) => {
      const own = chunks.filter(({ table }) => table === name);
      return {
        name,
        columns: [...columns],
        rows: own.reduce((sum, { rows }) => sum + rows, 0),
        sha256: await tableHash(own.map(({ rows_sha256 }) => rows_sha256)),
      };
    }),
  );
}

/** Of a table's rows, from the hashes of their pages. */
export function tableHash(pages: readonly string[]): Promise<string> {
  return sha256(utf8(pages.join("")));
}

async function takeBack({ backups, files }: BackupStores, jobId: string): Promise<void> {
  await files.remove(jobId);
  await backups.end(jobId, { state: "failed", counts: "{}", operationId: null, now: Date.now() });
}

/** False: it is being written, or a restore is at work. One that was cancelled and not removed is removed by the next backup. */
export async function removeBackup(
  { backups, files }: Pick<BackupStores, "backups" | "files">,
  id: string,
  now: number,
): Promise<boolean> {
  if (!(await backups.cancel(id, silentSince(now)))) return false;
  await files.remove(id);
  await backups.remove(id);
  return true;
}

/** Each asks for five things, of the 50 that an invocation may on the free plan. The next backup goes on. */
const REMOVED_AT_ONCE = 8;

/**
 * Removes what is kept no longer.
 * @param spared ids of backups that are needed all the same
 */
export async function removeOldBackups(
  stores: BackupStores,
  { now, spared }: { readonly now: number; readonly spared: ReadonlySet<string> },
): Promise<void> {
  const jobs = await stores.backups.list("backup");
  const finished = jobs.filter(({ state }) => state === "finished");
  const kept = retainedBackups(
    finished.map((job) => ({
      ...job,
      isVerified: job.verifiedAt !== null,
      askedBy: job.grantId === SCHEDULE.grantId || job.expiresAt !== null ? null : job.grantId,
    })),
  );
  const old = jobs.filter(({ id, state, createdAt, updatedAt, expiresAt }) => {
    if (state === "cancelled") return true;
    if (state === "failed") return createdAt <= now - FAILED_KEPT_MS;
    if (state === "running") return updatedAt <= now - DAY_MS;
    return !kept.has(id) && !spared.has(id) && (expiresAt ?? 0) <= now;
  });
  for (const { id } of old.slice(-REMOVED_AT_ONCE)) await removeBackup(stores, id, now);
}

const WEEK_MS = 7 * DAY_MS;

/**
 * What the schedule has to do: nothing, a backup where something changed since the last one, a rehearsal where the last one that
 * succeeded is a week old.
 * @param rehearsedRows how many rows a backup may have to be rehearsed by schedule
 */
export async function dueBackupWork(
  backups: BackupStore,
  { now, rehearsedRows }: { readonly now: number; readonly rehearsedRows: number },
): Promise<BackupWork | null> {
  if ((await restoreAtWork(backups, now)) !== null) return null;
  const [newest, mark, verifiedAt] = await Promise.all([
    backups.newest("backup", ["finished"]),
    backups.mark(),
    backups.lastVerifiedAt(),
  ]);
  const isUnverified = verifiedAt === null || verifiedAt <= now - WEEK_MS;
  const isUsed = mark.operation !== null || mark.changes > 0;
  if (isUsed && (newest === null || !isMarked(newest, mark))) {
    const { job, isNew } = await createBackup(backups, SCHEDULE, now);
    return isNew ? { do: "back up", jobId: job.id, rehearse: isUnverified } : null;
  }
  return newest !== null && isUnverified && rowCount(newest) <= rehearsedRows
    ? { do: "rehearse", jobId: newest.id }
    : null;
}

/** Of an earlier version's backup only the operation is known: it is made again. */
function isMarked(backup: BackupJob, { operation, changes }: ChangeMark): boolean {
  return backup.operationId === operation && countsOf(backup).changes === changes;
}

export function rowCount(job: BackupJob): number {
  return Object.values(countsOf(job).rows ?? {}).reduce((sum, rows) => sum + rows, 0);
}

/** A rehearsal that began an hour ago and never ended is over. */
export function isRehearsing(job: BackupJob, now: number): boolean {
  const { rehearsal } = countsOf(job);
  return rehearsal?.state === "running" && rehearsal.at > silentSince(now);
}

/** Backups begin between 1:00 and 5:00 UTC, each user's at a time of their own. Arbitrary. */
const NIGHT_BEGINS_MS = 3_600_000;
const NIGHT_MS = 4 * 3_600_000;

/** Milliseconds UTC. */
export function nextBackupTime(now: number, userId: string): number {
  let place = 0;
  for (const letter of userId) place = (place * 31 + letter.charCodeAt(0)) % NIGHT_MS;
  const today = now - (now % DAY_MS) + NIGHT_BEGINS_MS + place;
  return today > now ? today : today + DAY_MS;
}
