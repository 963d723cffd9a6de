/** Imports, exports and backups of one user. What a report says of a person's data is sealed. */
import {
  and,
  count,
  desc,
  eq,
  getTableColumns,
  gt,
  inArray,
  isNull,
  lte,
  min,
  or,
  sql,
} from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { accounts, jobs } from "./schema.ts";

export type JobRow = Omit<typeof jobs.$inferSelect, "body"> & { readonly body: string | null };

export type NewJob = Pick<
  JobRow,
  "id" | "kind" | "format" | "grantId" | "client" | "createdAt" | "keyVersion"
> & {
  readonly operationId?: string;
  readonly uploadKey?: string;
  readonly expiresAt?: number;
  /** Sealed, in hex. */
  readonly body?: string;
};

export interface JobEnd {
  readonly state: "finished" | "failed" | "cancelled";
  readonly operationId: string | null;
  /** JSON. */
  readonly counts: string;
  /** Sealed, in hex. */
  readonly body: string;
  readonly now: number;
  readonly format?: string;
  readonly archive?: {
    readonly chunks: number;
    readonly sizeBytes: number;
    readonly sha256: string;
    readonly expiresAt: number;
  };
}

const SQL_CREATE = `INSERT INTO jobs (user_id, id, kind, state, format, grant_id, client, counts, created_at, updated_at, key_version, operation_id, upload_key, body, expires_at)
  VALUES (?1, ?2, ?3, 'created', ?4, ?5, ?6, '{}', ?7, ?7, ?8, ?9, ?10, unhex(?11), ?12) ON CONFLICT DO NOTHING`;
const SQL_END = `UPDATE jobs SET state = ?3, operation_id = ?4, counts = ?5, body = unhex(?6), updated_at = ?7, format = coalesce(?8, format),
  chunks = ?9, size_bytes = ?10, sha256 = ?11, expires_at = ?12 WHERE user_id = ?1 AND id = ?2`;

/** An import in one of them takes batches. */
const OPEN: JobRow["state"][] = ["created", "running", "waiting_quota"];

export type JobStore = ReturnType<typeof openJobs>;

export function openJobs(d1: D1Database, userId: string) {
  const db = drizzle(d1);
  return {
    async create(job: NewJob): Promise<void> {
      const { id, kind, format, grantId, client, createdAt, keyVersion } = job;
      const { operationId = null, uploadKey = null, body = null, expiresAt = null } = job;
      await d1
        .prepare(SQL_CREATE)
        .bind(
          userId,
          id,
          kind,
          format,
          grantId,
          client,
          createdAt,
          keyVersion,
          operationId,
          uploadKey,
          body,
          expiresAt,
        )
        .run();
    },

    /** The latest import of these files that has not come to its end, be it that it was cancelled. */
    async unfinishedImport(uploadKey: string): Promise<JobRow | null> {
      const [found] = await db
        .select({ ...getTableColumns(jobs), body: sql<string | null>`hex(${jobs.body})` })
        .from(jobs)
        .where(
          and(
            eq(jobs.userId, userId),
            eq(jobs.kind, "import"),
            eq(jobs.uploadKey, uploadKey),
            inArray(jobs.state, [...OPEN, "cancelled"]),
          ),
        )
        .orderBy(desc(jobs.createdAt))
        .limit(1);
      return found ?? null;
    },

    /** Of those that batches are sent to, and that were heard of since: how many, and when the one was that was silent longest. */
    async importsInFlight(
      since: number,
    ): Promise<{ readonly count: number; readonly oldest: number }> {
      const [found] = await db
        .select({ count: count(), oldest: min(jobs.updatedAt) })
        .from(jobs)
        .where(
          and(
            eq(jobs.userId, userId),
            eq(jobs.kind, "import"),
            inArray(jobs.state, OPEN),
            isNull(jobs.expiresAt),
            gt(jobs.updatedAt, since),
          ),
        );
      return { count: found?.count ?? 0, oldest: found?.oldest ?? since };
    },

    /** @param body sealed, in hex */
    async correct(id: string, body: string): Promise<void> {
      await d1
        .prepare("UPDATE jobs SET body = unhex(?3) WHERE user_id = ?1 AND id = ?2")
        .bind(userId, id, body)
        .run();
    },

    /** `waiting_quota`: until the next batch, which makes it `running` again. */
    async setState(id: string, state: "running" | "waiting_quota", now: number): Promise<void> {
      await db
        .update(jobs)
        .set({ state, updatedAt: now })
        .where(and(eq(jobs.userId, userId), eq(jobs.id, id)));
    },

    /** What it had imported is gone: it takes no more, and the same files are to be imported from the beginning. */
    async revokeImport(operationId: string): Promise<void> {
      await db
        .update(jobs)
        .set({
          uploadKey: null,
          state: sql`iif(${inArray(jobs.state, OPEN)}, 'cancelled', ${jobs.state})`,
        })
        .where(
          and(eq(jobs.userId, userId), eq(jobs.kind, "import"), eq(jobs.operationId, operationId)),
        );
    },

    async end(id: string, end: JobEnd): Promise<void> {
      const { archive } = end;
      await d1
        .prepare(SQL_END)
        .bind(
          userId,
          id,
          end.state,
          end.operationId,
          end.counts,
          end.body,
          end.now,
          end.format ?? null,
          archive?.chunks ?? 0,
          archive?.sizeBytes ?? 0,
          archive?.sha256 ?? null,
          archive?.expiresAt ?? null,
        )
        .run();
    },

    async get(id: string): Promise<JobRow | null> {
      const [found] = await db
        .select({ ...getTableColumns(jobs), body: sql<string | null>`hex(${jobs.body})` })
        .from(jobs)
        .where(and(eq(jobs.userId, userId), eq(jobs.id, id)));
      return found ?? null;
    },

    /** The newest first. @param before the id of one: those that came before it */
    async imports(before: string | null, limit: number): Promise<JobRow[]> {
      return db
        .select({ ...getTableColumns(jobs), body: sql<string>`hex(${jobs.body})` })
        .from(jobs)
        .where(
          and(
            eq(jobs.userId, userId),
            eq(jobs.kind, "import"),
            // Without one: of a version that kept no reports.
            sql`length(${jobs.body}) > 0`,
            before === null
              ? undefined
              : sql`(${jobs.createdAt}, ${jobs.id}) < (SELECT b.created_at, b.id FROM jobs b WHERE b.user_id = ${userId} AND b.id = ${before})`,
          ),
        )
        .orderBy(desc(jobs.createdAt), desc(jobs.id))
        .limit(limit);
    },

    /** Exports, the newest first, without those that can no longer be downloaded. */
    async exports(now: number, limit: number): Promise<JobRow[]> {
      return db
        .select({ ...getTableColumns(jobs), body: sql<null>`NULL` })
        .from(jobs)
        .where(
          and(
            eq(jobs.userId, userId),
            eq(jobs.kind, "export"),
            or(isNull(jobs.expiresAt), gt(jobs.expiresAt, now)),
          ),
        )
        .orderBy(desc(jobs.createdAt))
        .limit(limit);
    },

    /**
     * Ids of exports that can no longer be downloaded, or came to nothing, a few at a time: each asks R2 twice and D1 once.
     * @param begunBefore what was not finished by then never will be, and may have left chunks where taking them back failed too
     */
    async expiredExports(now: number, begunBefore: number): Promise<string[]> {
      const found = await db
        .select({ id: jobs.id })
        .from(jobs)
        .where(
          and(
            eq(jobs.userId, userId),
            eq(jobs.kind, "export"),
            or(
              lte(jobs.expiresAt, now),
              and(isNull(jobs.expiresAt), lte(jobs.createdAt, begunBefore)),
            ),
          ),
        )
        .limit(5);
      return found.map(({ id }) => id);
    },

    /** Each will have to be removed. */
    async hasExports(): Promise<boolean> {
      const found = await db
        .select({ id: jobs.id })
        .from(jobs)
        .where(and(eq(jobs.userId, userId), eq(jobs.kind, "export")))
        .limit(1);
      return found.length > 0;
    },

    async remove(id: string): Promise<void> {
      await db.delete(jobs).where(and(eq(jobs.userId, userId), eq(jobs.id, id)));
    },

    async recordExport(now: number): Promise<void> {
      await db
        .insert(accounts)
        .values({ userId, lastExportAt: now })
        .onConflictDoUpdate({ target: accounts.userId, set: { lastExportAt: now } });
    },
  };
}
