/** Backups of one user in the database: reading rows as they are, page by page, and the jobs that say which backups there are. */
import { and, desc, eq, getTableColumns, inArray } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { TOKENIZER_VERSION } from "../search/tokenize.ts";
import { readValue, type BackupRow, type BackupTable, type BackupValue } from "./backup-tables.ts";
import { accounts, jobs } from "./schema.ts";

const { body: _, ...JOB } = getTableColumns(jobs);
export type BackupJob = Omit<typeof jobs.$inferSelect, "body">;

/** What `counts` of a backup's job says, beside what the manifest knows. */
export interface BackupCounts {
  /** By table. */
  readonly rows?: Readonly<Record<string, number>>;
  /** Of the mark under which it was read; `operationId` is the other half of it. */
  readonly changes?: number;
  readonly rehearsal?: Rehearsal;
}

/**
 * What an account holds is the same while its mark is: whatever changes a row that a backup holds makes an operation or, where it goes on
 * under an earlier one or has none (rules, the trash), raises `changes` in the same batch. Not marked is what is derived or of little
 * worth: when a memory was last said again, and what a later tokeniser made of a text.
 */
export interface ChangeMark {
  /** The newest; null: there was none. */
  readonly operation: string | null;
  readonly changes: number;
}

export interface Rehearsal {
  readonly state: "running" | "passed" | "failed";
  /** Milliseconds UTC. */
  readonly at: number;
  /** Why it failed: sentences of Cofio's own. */
  readonly problem?: string;
}

export interface BackupPage {
  readonly rows: readonly BackupRow[];
  /** Where the next page goes on; null: there is none. */
  readonly last: readonly (string | number)[] | null;
}

/** On which a job is made, in one statement: two requests at once make one. */
export interface JobConditions {
  /** Kinds of which none may be at work. */
  readonly rivals: readonly ("backup" | "restore")[];
  /** What has said nothing since then is not at work. Milliseconds UTC. */
  readonly silentSince: number;
  /** Id of one that must be whole. */
  readonly backup?: string;
}

/** Who asked for it. The schedule is nobody's grant. */
export interface BackupMaker {
  readonly grantId: string;
  readonly client: string;
}
export const SCHEDULE: BackupMaker = { grantId: "schedule", client: "Schedule" };

/** Rows that a page looks at; arbitrary. */
const PAGE_ROWS = 1_000;
/** Estimated characters after which a page ends. One row more stands in it: of 2 MB at most, D1's limit for a row. */
const PAGE_CHARS = 1_000_000;
/** Estimated characters of a row's other columns. */
const OTHER_COLUMNS_CHARS = 500;
/** Far more than are kept. */
const LIST_LIMIT = 200;

/** Jobs of some kinds that have said since a time that they are at work. */
const atWork = (kinds: string, since: string) =>
  `SELECT 1 FROM jobs r WHERE r.user_id = ?1 AND r.kind IN (SELECT value FROM json_each(${kinds})) AND r.state = 'running' AND r.updated_at > ${since}`;
/** One of the same kind that fell silent is over: were it to go on, it would find that it is. */
const SQL_END_SILENT = `UPDATE jobs SET state = 'failed' WHERE user_id = ?1 AND kind = ?2 AND state = 'running' AND updated_at <= ?3`;
/** ?10 kinds that must not be at work, ?11 since when, ?12 a backup that must be there. No key is used, so none is named. */
const SQL_CREATE = `INSERT INTO jobs (user_id, id, kind, state, format, grant_id, client, counts, created_at, updated_at, expires_at, key_version)
  SELECT ?1, ?2, ?3, 'running', ?4, ?5, ?6, ?7, ?8, ?8, ?9, 0 WHERE NOT EXISTS (${atWork("?10", "?11")})
  AND (?12 IS NULL OR EXISTS (SELECT 1 FROM jobs b WHERE b.user_id = ?1 AND b.id = ?12 AND b.kind = 'backup' AND b.state = 'finished'))
  ON CONFLICT DO NOTHING RETURNING id`;
const SQL_MARK = `SELECT (SELECT max(id) FROM operations WHERE user_id = ?1) AS operation,
  coalesce((SELECT changes FROM accounts WHERE user_id = ?1), 0) AS changes`;
const SQL_CANCEL = `UPDATE jobs SET state = 'cancelled' WHERE user_id = ?1 AND id = ?2 AND kind = 'backup'
  AND NOT (state = 'running' AND updated_at > ?3) AND NOT EXISTS (${atWork(`'["restore"]'`, "?3")}) RETURNING id`;
/** It names a backup that is there. */
const SQL_LAST_VERIFIED = `UPDATE accounts SET last_verified_backup_at = (SELECT max(verified_at) FROM jobs WHERE user_id = ?1 AND kind = 'backup') WHERE user_id = ?1`;
const SQL_MIGRATION = "SELECT name FROM d1_migrations ORDER BY id DESC LIMIT 1";
const SQL_REHEARSAL = `UPDATE jobs SET counts = json_set(counts, '$.rehearsal', json(?3)), state = iif(?4, 'failed', state),
  verified_at = iif(?4, NULL, coalesce(?5, verified_at)) WHERE user_id = ?1 AND id = ?2 AND kind = 'backup'`;

export type BackupStore = ReturnType<typeof openBackups>;

export function openBackups(d1: D1Database, userId: string) {
  const db = drizzle(d1);
  const mine = eq(jobs.userId, userId);

  return {
    /** Rows beyond `after`, as many as fit. */
    async readPage(
      table: BackupTable,
      after: readonly (string | number)[] | null,
    ): Promise<BackupPage> {
      const found = await d1
        .prepare(pageSql(table, after !== null))
        .bind(userId, ...(after ?? []))
        .raw<[...BackupValue[], number]>();
      // True because the statement adds how many rows it looked at as the last column.
      const looked = (found[0]?.at(-1) ?? 0) as number;
      const rows = found.map((row) => row.slice(0, -1));
      const end = rows.at(-1);
      const isLast = end === undefined || (looked < PAGE_ROWS && rows.length === looked);
      return { rows, last: isLast ? null : keyOf(table, end) };
    },

    async mark(): Promise<ChangeMark> {
      const mark = await d1.prepare(SQL_MARK).bind(userId).first<ChangeMark>();
      if (mark === null) throw new Error("A statement without a table gives one row");
      return mark;
    },

    async newestMigration(): Promise<string> {
      const row = await d1.prepare(SQL_MIGRATION).first<{ name: string }>();
      return row?.name ?? "";
    },

    /** False: a rival is at work, or the backup is not there. */
    async create(
      job: Pick<BackupJob, "id" | "kind" | "format" | "counts" | "createdAt" | "expiresAt">,
      { grantId, client }: BackupMaker,
      { rivals, silentSince, backup }: JobConditions,
    ): Promise<boolean> {
      const { id, kind, format, counts, createdAt, expiresAt } = job;
      const values = [id, kind, format, grantId, client, counts, createdAt, expiresAt];
      const [, created] = await d1.batch([
        d1.prepare(SQL_END_SILENT).bind(userId, kind, silentSince),
        d1
          .prepare(SQL_CREATE)
          .bind(userId, ...values, JSON.stringify(rivals), silentSince, backup ?? null),
      ]);
      return created?.results.length === 1;
    },

    /** Says that it is at work. @throws Error where someone has ended it: whoever works for it stops */
    async touch(id: string, now: number): Promise<void> {
      const touched = await db
        .update(jobs)
        .set({ updatedAt: now })
        .where(and(mine, eq(jobs.id, id), eq(jobs.state, "running")))
        .returning({ id: jobs.id });
      if (touched.length === 0) throw new Error("The job is over");
    },

    /** Takes it from everyone before it is removed. False: it is being written, or a restore is at work. */
    async cancel(id: string, silentSince: number): Promise<boolean> {
      const { results } = await d1.prepare(SQL_CANCEL).bind(userId, id, silentSince).run();
      return results.length === 1;
    },

    async get(kind: BackupJob["kind"], id: string): Promise<BackupJob | null> {
      const [job] = await db
        .select(JOB)
        .from(jobs)
        .where(and(mine, eq(jobs.kind, kind), eq(jobs.id, id)));
      return job ?? null;
    },

    /** Newest first. */
    async list(kind: "backup" | "restore"): Promise<BackupJob[]> {
      return db
        .select(JOB)
        .from(jobs)
        .where(and(mine, eq(jobs.kind, kind)))
        .orderBy(desc(jobs.createdAt), desc(jobs.id))
        .limit(LIST_LIMIT);
    },

    async newest(
      kind: "backup" | "restore",
      states: readonly BackupJob["state"][],
    ): Promise<BackupJob | null> {
      const [job] = await db
        .select(JOB)
        .from(jobs)
        .where(and(mine, eq(jobs.kind, kind), inArray(jobs.state, [...states])))
        .orderBy(desc(jobs.createdAt), desc(jobs.id))
        .limit(1);
      return job ?? null;
    },

    async finish(
      id: string,
      end: Pick<BackupJob, "operationId" | "counts" | "chunks" | "sizeBytes" | "sha256"> & {
        readonly now: number;
      },
    ): Promise<void> {
      const { now, ...columns } = end;
      const finished = await db
        .update(jobs)
        .set({ ...columns, state: "finished", updatedAt: now })
        // Finished before, where this is run again.
        .where(and(mine, eq(jobs.id, id), inArray(jobs.state, ["running", "finished"])))
        .returning({ id: jobs.id });
      if (finished.length === 0) throw new Error("The backup was ended while it was written");
      await db
        .insert(accounts)
        .values({
          userId,
          lastBackupAt: now,
          // An account without a row has nothing that an older tokeniser indexed.
          memoryTokenizer: TOKENIZER_VERSION,
          messageTokenizer: TOKENIZER_VERSION,
        })
        .onConflictDoUpdate({ target: accounts.userId, set: { lastBackupAt: now } });
    },

    async end(
      id: string,
      end: Pick<BackupJob, "state" | "counts" | "operationId"> & { readonly now: number },
    ): Promise<void> {
      const { now, ...columns } = end;
      await db
        .update(jobs)
        .set({ ...columns, updatedAt: now })
        .where(and(mine, eq(jobs.id, id)));
    },

    /** A backup that failed its rehearsal is one to restore from no longer, whatever an earlier rehearsal said. */
    async setRehearsal(id: string, rehearsal: Rehearsal): Promise<void> {
      const { state, at } = rehearsal;
      const verifiedAt = state === "passed" ? at : null;
      await d1.batch([
        d1
          .prepare(SQL_REHEARSAL)
          .bind(userId, id, JSON.stringify(rehearsal), state === "failed" ? 1 : 0, verifiedAt),
        d1.prepare(SQL_LAST_VERIFIED).bind(userId),
      ]);
    },

    async lastVerifiedAt(): Promise<number | null> {
      const [row] = await db
        .select({ at: accounts.lastVerifiedBackupAt })
        .from(accounts)
        .where(eq(accounts.userId, userId));
      return row?.at ?? null;
    },

    async remove(id: string): Promise<void> {
      await d1.batch([
        d1
          .prepare("DELETE FROM jobs WHERE user_id = ?1 AND id = ?2 AND kind = 'backup'")
          .bind(userId, id),
        d1.prepare(SQL_LAST_VERIFIED).bind(userId),
      ]);
    },
  };
}

export function countsOf({ counts }: BackupJob): BackupCounts {
  // True because only backups write counts of their jobs.
  return JSON.parse(counts) as BackupCounts;
}

/** What is wrong with a backup that failed. */
export function problemOf(job: BackupJob): string {
  const { rehearsal } = countsOf(job);
  const day = new Date(job.createdAt).toISOString().slice(0, 10);
  return rehearsal?.problem === undefined
    ? `The backup of ${day} could not be written.`
    : `The backup of ${day} failed its rehearsal: ${rehearsal.problem}`;
}

/** Where a row stands in its table's order. */
function keyOf({ columns, order }: BackupTable, row: BackupRow): (string | number)[] {
  // True because no column of an order is ever null.
  return order.map((column) => row[columns.indexOf(column)] as string | number);
}

/**
 * A page, chosen by keys and lengths alone: no body is read that does not go into it. Sizes are those before a row, so that there is
 * always one. ?1 user, ?2… the key it goes on after.
 */
function pageSql(table: BackupTable, goesOn: boolean): string {
  const { name, columns, order } = table;
  const key = order.map((column) => `t.${column}`).join(", ");
  const from = goesOn
    ? `AND (${key}) > (${order.map((_column, index) => `?${index + 2}`).join(", ")})`
    : "";
  return `WITH page AS MATERIALIZED (SELECT *, coalesce(sum(chars) OVER (ORDER BY ${order.join(", ")} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM (SELECT ${key}, ${charsOf(table)} AS chars FROM ${name} t WHERE t.user_id = ?1 ${from} ORDER BY ${key} LIMIT ${PAGE_ROWS}))
  SELECT ${columns.map((column) => readValue(table, column)).join(", ")}, (SELECT count(*) FROM page)
  FROM page p CROSS JOIN ${name} t ON t.user_id = ?1 AND ${order.map((column) => `t.${column} = p.${column}`).join(" AND ")}
  WHERE p.before < ${PAGE_CHARS} ORDER BY ${key}`;
}

const LONG_TEXTS = ["tokens", "dt"];

function charsOf({ columns, blobs }: BackupTable): string {
  return [
    ...[...blobs].map((column) => `coalesce(2 * length(t.${column}), 0)`),
    ...LONG_TEXTS.filter((column) => columns.includes(column)).map(
      (column) => `octet_length(t.${column})`,
    ),
    OTHER_COLUMNS_CHARS,
  ].join(" + ");
}
