/**
 * Memory files of one user: memories that have a path. Only tokens of paths are known here (`vault/blind.ts`): a file stands at its own,
 * and is labelled with those of the directories above it.
 */
import { and, eq, getTableColumns, inArray, isNotNull, ne, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { packed, runBatch, SQL_HAS_OPERATION } from "./batch.ts";
import { columnLists, prefixed } from "./columns.ts";
import {
  memoryPage,
  pageSql,
  readPage,
  ROWS_A_PAGE,
  type ExportRow,
  type Page,
  type StoredFlags,
} from "./export-rows.ts";
import { isFree, placeParameter, type FilePlace } from "./file-place.ts";
import { findableStatements, type LabelChanges } from "./findable.ts";
import type { MemoryRow, OperationInput, SealedMemory } from "./memories.ts";
import { memories, memoryLabels, type MemoryStatus } from "./schema.ts";

/** A row without what is derived from its text: whoever writes it again derives that anew. */
export type FileRow = ExportRow<MemoryRow>;

/** A file as it is to be; the version before it is the one that it replaces. */
export interface Rewrite {
  readonly row: SealedMemory;
  readonly labels?: LabelChanges;
}

/** A state of a memory, present or earlier. */
export interface MemoryState {
  readonly id: string;
  readonly version: number;
  readonly bodyVersion: number;
  readonly status: MemoryStatus;
  readonly updatedAt: number;
  /** Who brought it about; null where the operation is not known. */
  readonly grantId: string | null;
  /** Ciphertext in hex. */
  readonly body: string;
}

export type StateChange = "created" | "modified" | "deleted";

export interface StateFilter {
  readonly id?: string | undefined;
  readonly version?: number | undefined;
  readonly change?: StateChange | undefined;
  readonly grantId?: string | undefined;
  /** Milliseconds UTC, both inclusive. */
  readonly from?: number | undefined;
  readonly until?: number | undefined;
}

/** A file as far as it must be known to go to the trash. */
export type FileVersion = Pick<FileRow, "id" | "version">;

/** Place of the last state of a page. */
export type StatePlace = readonly [updatedAt: number, id: string, version: number];

const SQL_UNDER = pageSql(
  memories,
  ["l.seq"],
  "l.user_id = ?1 AND l.label = ?2 AND l.seq > ?3 AND t.status = 'active' AND t.path_token IS NOT NULL",
  "memory_labels l CROSS JOIN memories t ON t.seq = l.seq",
  "?4",
);

const ALL = columnLists(memories, ["seq", "userId"], "j.value");
/** What a memory and its earlier versions have in common. */
const SHARED = columnLists(memories, ["seq", "userId", "id"]);

// ?1 user, ?2 operation. All or none: the earlier states are kept only where every file is as it was read and its place is free.
const SQL_KEEP = `INSERT INTO memory_versions (user_id, id, replaced_op, replaced_at, ${SHARED.names})
  SELECT ?1, m.id, ?2, ?3, ${prefixed("m", SHARED.names)} FROM json_each(?4) j
  CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'id' AND m.version = j.value->>'version'
  WHERE NOT EXISTS (SELECT 1 FROM json_each(?4) k WHERE NOT EXISTS (SELECT 1 FROM memories o
    WHERE o.user_id = ?1 AND o.id = k.value->>'id' AND o.version = k.value->>'version'))
  AND ${isFree("?5")} ON CONFLICT DO NOTHING`;
/** An upsert, because the rows of an UPDATE … FROM json_each() would each walk the whole list. */
const SQL_REWRITE = `INSERT INTO memories (user_id, ${ALL.names}) SELECT ?1, ${ALL.fromJson} FROM json_each(?3) j
  WHERE EXISTS (SELECT 1 FROM memory_versions v WHERE v.user_id = ?1 AND v.id = j.value->>'id'
    AND v.version = j.value->>'version' - 1 AND v.replaced_op = ?2)
  ON CONFLICT (user_id, id) DO UPDATE SET ${SHARED.excluded} WHERE memories.version = excluded.version - 1`;
const SQL_COUNT = `UPDATE accounts SET memory_tokens = memory_tokens + s.more_tokens, bytes = bytes + s.more_bytes,
    changes = changes + (s.items > 0)
  FROM (SELECT count(*) AS items, coalesce(sum(m.token_count - v.token_count), 0) AS more_tokens, coalesce(sum(m.size_bytes - v.size_bytes), 0) AS more_bytes
    FROM memory_versions v CROSS JOIN memories m ON m.user_id = v.user_id AND m.id = v.id WHERE v.user_id = ?1 AND v.replaced_op = ?2) s
  WHERE accounts.user_id = ?1 AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.user_id = ?1 AND o.id = ?2)`;
const SQL_OPERATION = `INSERT INTO operations (user_id, id, kind, grant_id, client, created_at, counts, undoes_op, subject)
  SELECT ?1, ?2, 'update', ?3, ?4, ?5, ?6, NULL, ?7
  WHERE EXISTS (SELECT 1 FROM memory_versions v WHERE v.user_id = ?1 AND v.replaced_op = ?2) ON CONFLICT DO NOTHING`;

// ?1 user, ?2 directory, ?11 one of its files. The second does not walk the others.
const ALL_FILES =
  "FROM memory_labels l CROSS JOIN memories m ON m.seq = l.seq AND l.user_id = ?1 AND l.label = ?2";
const ONE_FILE =
  "FROM memories m CROSS JOIN memory_labels l ON l.seq = m.seq AND l.user_id = ?1 AND l.label = ?2 AND m.user_id = ?1 AND m.id = ?11";
/** Bodies are read once it is known which states are wanted. */
function statesSql(files: string): string {
  return `SELECT w.id, w.version, w.status, w.updated_at AS updatedAt, w.grant_id AS grantId,
    coalesce(m.body_version, v.body_version) AS bodyVersion, hex(coalesce(m.body, v.body)) AS body
  FROM (SELECT s.*, o.grant_id FROM (
      SELECT 0 AS is_earlier, m.seq AS place, m.id, m.version, m.status, m.updated_at, m.changed_op ${files}
      UNION ALL SELECT 1, v.rowid, v.id, v.version, v.status, v.updated_at, v.changed_op ${files}
        CROSS JOIN memory_versions v ON v.user_id = ?1 AND v.id = m.id
    ) s LEFT JOIN operations o ON o.user_id = ?1 AND o.id = s.changed_op
    WHERE (?3 IS NULL OR o.grant_id = ?3) AND s.updated_at BETWEEN ?4 AND ?5
    AND (?6 IS NULL OR ?6 = CASE WHEN s.status = 'trashed' THEN 'deleted' WHEN s.version = 1 THEN 'created' ELSE 'modified' END)
    AND (s.updated_at, s.id, s.version) < (?7, ?8, ?9) AND (?12 IS NULL OR s.version = ?12)
    ORDER BY s.updated_at DESC, s.id DESC, s.version DESC LIMIT ?10) w
  LEFT JOIN memories m ON NOT w.is_earlier AND m.seq = w.place LEFT JOIN memory_versions v ON w.is_earlier AND v.rowid = w.place
  ORDER BY w.updated_at DESC, w.id DESC, w.version DESC`;
}
const SQL_STATES = statesSql(ALL_FILES);
const SQL_STATES_OF_ONE = statesSql(ONE_FILE);
const SQL_VERSIONS_UNDER = `SELECT m.id, m.version ${ALL_FILES} WHERE m.status = 'active' AND m.path_token IS NOT NULL`;

// ?1 user, ?2 memory, ?3 version of the text. Several states have it where only the status changed. What is in use is left alone.
const IN_USE =
  "EXISTS (SELECT 1 FROM memories u WHERE u.user_id = ?1 AND u.id = ?2 AND u.body_version = ?3 AND u.status <> 'trashed')";
const WITH_TEXT = `user_id = ?1 AND id = ?2 AND body_version = ?3 AND dt <> '' AND NOT ${IN_USE}`;
const REDACTED = `body = unhex(?4->>'body'), size_bytes = ?4->>'sizeBytes', key_version = ?4->>'keyVersion', fingerprint = ?4->>'fingerprint',
  path_token = NULL, tokens = '', dt = '', token_count = 0`;
const SQL_COUNT_REDACTED = `UPDATE accounts SET bytes = bytes + coalesce((SELECT sum((?4->>'sizeBytes') - size_bytes) FROM memories WHERE ${WITH_TEXT}), 0),
  changes = changes + 1 WHERE user_id = ?1`;
/** What is in the trash gets a new version, as from any change: a restore or an undo that has read the text is then too late. */
const SQL_REDACTED_VERSION = `INSERT INTO memory_versions (user_id, id, replaced_op, replaced_at, ${SHARED.names})
  SELECT user_id, id, ?4, ?5, ${SHARED.names} FROM memories WHERE ${WITH_TEXT} ON CONFLICT DO NOTHING`;
const SQL_REDACT = `UPDATE memories SET ${REDACTED}, version = version + 1, changed_op = ?5, updated_at = ?6 WHERE ${WITH_TEXT}`;
const SQL_REDACT_VERSIONS = `UPDATE memory_versions SET ${REDACTED} WHERE ${WITH_TEXT}`;
const SQL_REDACTED_OPERATION = `INSERT INTO operations (user_id, id, kind, grant_id, client, created_at, counts, undoes_op, subject)
  SELECT ?1, ?4, 'update', ?5, ?6, ?7, '{"redacted":1}', NULL, ?2
  WHERE EXISTS (SELECT 1 FROM memory_versions WHERE ${WITH_TEXT}) OR EXISTS (SELECT 1 FROM memories WHERE ${WITH_TEXT}) ON CONFLICT DO NOTHING`;

/** Puts rows in the place of those one version before them, where this operation kept those. */
export function rewriteStatements(
  d1: D1Database,
  userId: string,
  op: string,
  rows: readonly SealedMemory[],
): D1PreparedStatement[] {
  const texts = rows.map((row) => JSON.stringify(row));
  return packed(texts, ({ length }) => length + 1).map((part) =>
    d1.prepare(SQL_REWRITE).bind(userId, op, `[${part.join(",")}]`),
  );
}

export type MemoryFileStore = ReturnType<typeof openMemoryFiles>;

export function openMemoryFiles(d1: D1Database, userId: string) {
  const db = drizzle(d1);
  const { tokens: _tokens, dt: _dt, ...columns } = getTableColumns(memories);
  const row = { ...columns, body: sql<string>`hex(${memories.body})` };

  return {
    /** Those that stand at one of these places. */
    async at(places: readonly string[]): Promise<FileRow[]> {
      return db
        .select(row)
        .from(memories)
        .where(
          and(
            eq(memories.userId, userId),
            inArray(memories.pathToken, [...places]),
            eq(memories.status, "active"),
          ),
        );
    },

    /** Those in a directory, at any depth, in the order of their `seq`. @param limit at most `ROWS_A_PAGE` */
    async under(directory: string, after: number, limit = ROWS_A_PAGE): Promise<Page<FileRow>> {
      const values = [userId, directory, after, limit];
      return memoryPage(await readPage<StoredFlags<FileRow>>(d1, SQL_UNDER, values, limit));
    },

    /** Those in a directory, at any depth, without their texts. */
    async versionsUnder(directory: string): Promise<FileVersion[]> {
      const { results } = await d1
        .prepare(SQL_VERSIONS_UNDER)
        .bind(userId, directory)
        .run<FileVersion>();
      return results;
    },

    /** @param except id of a file that does not count */
    async firstUnder(directory: string, except = ""): Promise<FileRow | null> {
      const [found] = await db
        .select(row)
        .from(memoryLabels)
        .crossJoin(memories)
        .where(
          and(
            eq(memoryLabels.userId, userId),
            eq(memoryLabels.label, directory),
            eq(memories.seq, memoryLabels.seq),
            eq(memories.status, "active"),
            isNotNull(memories.pathToken),
            ne(memories.id, except),
          ),
        )
        .limit(1);
      return found ?? null;
    },

    /** Replaces files, all or none. False: one of them is at another version, or the place is not free. */
    async rewrite(
      files: readonly Rewrite[],
      place: FilePlace,
      { id: op, grantId, client, now }: OperationInput,
    ): Promise<boolean> {
      const read = files.map(({ row: { id, version } }) => ({ id, version: version - 1 }));
      const subject = files.length === 1 ? (files[0]?.row.id ?? null) : null;
      const counts = JSON.stringify({ memories: files.length });
      const items = files.map(({ row: { id }, labels }) => ({ id, ...(labels && { labels }) }));
      const results = await runBatch(d1, [
        d1.prepare(SQL_KEEP).bind(
          userId,
          op,
          now,
          JSON.stringify(read),
          placeParameter(
            place,
            read.map(({ id }) => id),
          ),
        ),
        ...rewriteStatements(
          d1,
          userId,
          op,
          files.map((file) => file.row),
        ),
        ...packed(items, (item) => JSON.stringify(item).length + 1).flatMap((part) =>
          findableStatements(d1, userId, { items: part, op, now }),
        ),
        d1.prepare(SQL_COUNT).bind(userId, op),
        d1.prepare(SQL_OPERATION).bind(userId, op, grantId, client, now, counts, subject),
        d1.prepare(SQL_HAS_OPERATION).bind(userId, op),
      ]);
      return results.at(-1)?.results.length === 1;
    },

    /** States of the files in a directory and of those that were in it when they went to the trash, newest first. */
    async states(
      directory: string,
      { id, version, change, grantId, from = 0, until = Number.MAX_SAFE_INTEGER }: StateFilter,
      { after, limit }: { readonly after: StatePlace | null; readonly limit: number },
    ): Promise<MemoryState[]> {
      const place = after ?? [Number.MAX_SAFE_INTEGER, "", 0];
      const { results } = await d1
        .prepare(id === undefined ? SQL_STATES : SQL_STATES_OF_ONE)
        .bind(
          userId,
          directory,
          grantId ?? null,
          from,
          until,
          change ?? null,
          ...place,
          limit,
          id ?? null,
          version ?? null,
        )
        .run<MemoryState>();
      return results;
    },

    /** Puts another text in the place of an earlier one, everywhere. False: it is in use, or gone already. */
    async redact(
      { id, bodyVersion }: { readonly id: string; readonly bodyVersion: number },
      redacted: Pick<SealedMemory, "body" | "sizeBytes" | "keyVersion" | "fingerprint">,
      { id: op, grantId, client, now }: OperationInput,
    ): Promise<boolean> {
      const bound = [userId, id, bodyVersion];
      const text = JSON.stringify(redacted);
      const results = await runBatch(d1, [
        // Before the text is gone.
        d1.prepare(SQL_REDACTED_OPERATION).bind(...bound, op, grantId, client, now),
        d1.prepare(SQL_COUNT_REDACTED).bind(...bound, text),
        d1.prepare(SQL_REDACTED_VERSION).bind(...bound, op, now),
        d1.prepare(SQL_REDACT).bind(...bound, text, op, now),
        d1.prepare(SQL_REDACT_VERSIONS).bind(...bound, text),
        d1.prepare(SQL_HAS_OPERATION).bind(userId, op),
      ]);
      return results.at(-1)?.results.length === 1;
    },
  };
}
