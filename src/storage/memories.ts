/**
 * Memories of one user. Reads are Drizzle queries; each write is one atomic batch of plain SQL in which every later
 * statement selects from the row that the first one made (never `last_insert_rowid()`, which after a conflict names another row).
 */
import { and, asc, desc, eq, gt, inArray, isNull, lt, ne, sql, getTableColumns } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { drizzle } from "drizzle-orm/d1";
import { TOKENIZER_VERSION } from "../search/tokenize.ts";
import { CLAIMED, runBatch, SQL_HAS_OPERATION } from "./batch.ts";
import { columnLists } from "./columns.ts";
import { ANYWHERE, isFree, placeParameter, type FilePlace } from "./file-place.ts";
import { findableStatements, type LabelChanges } from "./findable.ts";
import { conditionsOf, type MemoryFilter } from "./memory-filter.ts";
import {
  HAS_MADE_ROOM,
  hasTwin,
  MEMORY_COUNT,
  readLeastUseful,
  roomStatements,
  type SealedText,
} from "./room.ts";
import {
  accounts,
  idempotency,
  labels,
  memories,
  memoryVersions,
  operations,
  type MemoryStatus,
} from "./schema.ts";

/** A row as it is read: `body` is the ciphertext in hex. */
export type MemoryRow = Omit<typeof memories.$inferSelect, "body"> & { readonly body: string };

/** What a memory is opened from. */
export type ReadableMemory = Pick<
  MemoryRow,
  | "id"
  | "version"
  | "bodyVersion"
  | "category"
  | "importance"
  | "source"
  | "origin"
  | "userAsked"
  | "client"
  | "status"
  | "createdAt"
  | "updatedAt"
  | "expiresAt"
  | "trashedAt"
  | "supersededBy"
  | "body"
>;

/** A row ready to be written: sealed, without what the database adds. */
export type SealedMemory = Omit<MemoryRow, "seq" | "userId">;

export type MemoryVersionRow = Omit<typeof memoryVersions.$inferSelect, "body"> & {
  readonly body: string;
};

type OperationKind = typeof operations.$inferSelect.kind;

/** A state of a memory, and who brought it about; null where the operation is not known. */
export type MemoryStateRow = ReadableMemory & {
  readonly changedOp: string;
  readonly changedBy: string | null;
  readonly changeKind: OperationKind | null;
};

export interface SealedLabel {
  readonly label: string;
  readonly kind: "tag" | "project" | "directory";
  readonly keyVersion: number;
  readonly body: string;
  /** Its name is written so from now on; absent: as it was when it first came. */
  readonly isRespelt?: true;
}

/** Who did what, when; goes into the row of `operations`. */
export interface OperationInput {
  readonly id: string;
  readonly grantId: string;
  readonly client: string;
  readonly now: number;
}

export interface Claim {
  /** Keyed hashes. */
  readonly key: string;
  readonly argsHash: string;
  readonly expiresAt: number;
}

export interface CreateInput {
  readonly row: SealedMemory;
  readonly labels: readonly SealedLabel[];
  /** Id of the memory that this one replaces. */
  readonly supersedes: string | null;
  /** It is saved beside a twin that it meets, with another fingerprint: the twin does not replace what it names. */
  readonly isBesideTwins?: boolean;
  readonly claim: Claim | null;
  /** How many memories there may be. */
  readonly limit: number;
  /** Given when the least useful memory may go to the trash if there is no room. */
  readonly makeRoom: MakeRoom | null;
  /** Of a memory file. */
  readonly place?: FilePlace;
}

export interface MakeRoom {
  /** Label of the roots of stores, which stay. */
  readonly roots: string;
}

export type CreateOutcome =
  /** `trashed` made room for it. */
  | { readonly outcome: "created"; readonly trashed: SealedText | null }
  /** There is no room, and nothing was changed. */
  | { readonly outcome: "full" }
  /** The file may not stand there, and nothing was changed. */
  | { readonly outcome: "no_place" }
  /** `row` holds the same text already, or did until it expired. */
  | {
      readonly outcome: "duplicate";
      readonly id: string;
      readonly expiresAt: number | null;
      /** Whether the save changed something all the same: what it supersedes. */
      readonly changed: boolean;
    }
  | { readonly outcome: "replay"; readonly op: string }
  | { readonly outcome: "idempotency_conflict" };

export interface ChangeInput {
  readonly id: string;
  readonly expectedVersion: number;
  readonly row: SealedMemory;
  readonly kind: "update" | "delete" | "restore" | "rule";
  /** Id of a memory that the changed one now replaces. */
  readonly supersedes?: string;
  /** Given when the labels changed. */
  readonly labels?: LabelChanges;
  /** Of a memory file that comes to stand where it did not. */
  readonly place?: FilePlace;
}

export type MemoryOrder = "newest" | "oldest" | "updated" | "important";

/** Place of the last row of a page: its sort values and id. */
export type MemoryPlace = readonly (number | string)[];

const ALL = columnLists(memories, ["seq", "userId"]);
/** What a memory and its earlier versions have in common. */
const SHARED = columnLists(memories, ["seq", "userId", "id"]);

const LIVING = "status IN ('active', 'pending') AND superseded_by IS NULL";

const SQL_CLAIM = `INSERT INTO idempotency (user_id, grant_id, key, args_hash, op, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
  ON CONFLICT (user_id, grant_id, key) DO UPDATE SET args_hash = excluded.args_hash, op = excluded.op, expires_at = excluded.expires_at
  WHERE idempotency.expires_at <= ?7`;
/** A key whose save found no room is free: the same call is to work once there is some. */
const SQL_RELEASE = `DELETE FROM idempotency WHERE user_id = ?1 AND grant_id = ?2 AND key = ?3 AND op = ?4 AND NOT ${hasTwin("?5")}`;
const SQL_IS_FREE = `SELECT 1 WHERE ${isFree("?2")}`;
const SQL_VERDICT =
  "SELECT op, args_hash AS argsHash FROM idempotency WHERE user_id = ?1 AND grant_id = ?2 AND key = ?3";

/** Nothing is inserted where there is no room, unless a twin takes the save or this batch has made room; nor where a file has no place. */
const SQL_INSERT = `INSERT INTO memories (user_id, ${ALL.names}) SELECT ?1, ${ALL.fromJson} FROM (SELECT ?5 AS j) WHERE ${CLAIMED}
  AND (${MEMORY_COUNT} < ?6 OR ${hasTwin("j->>'fingerprint'")} OR ${HAS_MADE_ROOM}) AND ${isFree("?7")}
  ON CONFLICT (user_id, fingerprint) WHERE ${LIVING} DO UPDATE SET last_used_at = max(last_used_at, excluded.created_at)
  RETURNING id, expires_at AS expiresAt`;

/** The living row that holds the text of this save: the row it made (?8), or the one it met, where that may stand for it (?8 null). An expired one is about to be retired. */
const WINNER = `(SELECT w.id FROM memories w WHERE w.user_id = ?1 AND w.fingerprint = ?5 AND w.status IN ('active', 'pending') AND w.superseded_by IS NULL
  AND w.id = coalesce(?8, w.id) AND (w.expires_at IS NULL OR w.expires_at > ?7))`;
const SUPERSEDED = `user_id = ?1 AND id = ?6 AND status <> 'trashed' AND superseded_by IS NULL AND id <> ${WINNER} AND ${CLAIMED}`;
const SQL_SUPERSEDED_VERSION = `INSERT INTO memory_versions (user_id, id, replaced_op, replaced_at, ${SHARED.names})
  SELECT user_id, id, ?2, ?7, ${SHARED.names} FROM memories WHERE ${SUPERSEDED} ON CONFLICT DO NOTHING`;
/** A superseded file leaves its path. */
const SQL_SUPERSEDE = `UPDATE memories SET superseded_by = ${WINNER}, path_token = NULL, version = version + 1, changed_op = ?2, updated_at = ?7
  WHERE ${SUPERSEDED}`;

/** The row that this operation made or changed; nothing when it met a duplicate, another version or a twin. */
const CHANGED = "user_id = ?1 AND id = ?3 AND changed_op = ?2";

/** Once per operation: a repeated batch finds its operation row and counts nothing twice. */
const NOT_COUNTED = "NOT EXISTS (SELECT 1 FROM operations o WHERE o.user_id = ?1 AND o.id = ?2)";
const ADD_COUNTS = `ON CONFLICT (user_id) DO UPDATE SET memories_active = memories_active + excluded.memories_active,
  memories_pending = memories_pending + excluded.memories_pending, memories_trashed = memories_trashed + excluded.memories_trashed,
  memory_tokens = memory_tokens + excluded.memory_tokens, bytes = bytes + excluded.bytes, changes = changes + 1`;
const SQL_COUNT_NEW = `INSERT INTO accounts (user_id, memory_tokenizer, message_tokenizer, memories_active, memories_pending, memories_trashed, memory_tokens, bytes)
  SELECT ?1, ${TOKENIZER_VERSION}, ${TOKENIZER_VERSION}, status = 'active', status = 'pending', 0, iif(status = 'active', token_count, 0), size_bytes
  FROM memories WHERE user_id = ?1 AND id = ?3 AND ${NOT_COUNTED} ${ADD_COUNTS}`;
const SQL_COUNT_CHANGED = `INSERT INTO accounts (user_id, memories_active, memories_pending, memories_trashed, memory_tokens, bytes)
  SELECT ?1, (m.status = 'active') - (v.status = 'active'), (m.status = 'pending') - (v.status = 'pending'),
    (m.status = 'trashed') - (v.status = 'trashed'),
    iif(m.status = 'active', m.token_count, 0) - iif(v.status = 'active', v.token_count, 0), m.size_bytes - v.size_bytes
  FROM memory_versions v CROSS JOIN memories m ON m.user_id = v.user_id AND m.id = v.id
  WHERE v.user_id = ?1 AND v.id = ?3 AND v.version = ?4 AND v.replaced_op = ?2 AND ${NOT_COUNTED} ${ADD_COUNTS}`;

/** It counts what it made, what it superseded, and what made room for it. */
const SQL_SAVE_OPERATION = `INSERT INTO operations (user_id, id, kind, grant_id, client, created_at, counts, undoes_op, subject)
  SELECT ?1, ?2, 'save', ?5, ?6, ?7, json_object('memories', (SELECT count(*) FROM memories WHERE user_id = ?1 AND id = ?3) +
    (SELECT count(*) FROM memory_versions WHERE user_id = ?1 AND replaced_op = ?2)), NULL, ?3
  WHERE EXISTS (SELECT 1 FROM memories WHERE user_id = ?1 AND (id = ?3 OR (id = ?4 AND changed_op = ?2))) ON CONFLICT DO NOTHING`;

/** A twin is another living memory with the same text: an edit or restore must not make a second one. */
const SQL_CHANGED_VERSION = `INSERT INTO memory_versions (user_id, id, replaced_op, replaced_at, ${SHARED.names})
  SELECT user_id, id, ?2, ?3, ${SHARED.names} FROM memories m WHERE user_id = ?1 AND id = ?4 AND version = ?5
  AND NOT (?7 AND EXISTS (SELECT 1 FROM memories t WHERE t.user_id = ?1 AND t.fingerprint = ?6 AND t.status IN ('active', 'pending')
    AND t.superseded_by IS NULL AND t.id <> ?4)) AND ${isFree("?8")} ON CONFLICT DO NOTHING`;
const SQL_CHANGE = `UPDATE memories SET ${SHARED.assignments} FROM (SELECT ?5 AS j)
  WHERE user_id = ?1 AND id = ?3 AND version = ?4
  AND EXISTS (SELECT 1 FROM memory_versions v WHERE v.user_id = ?1 AND v.id = ?3 AND v.version = ?4 AND v.replaced_op = ?2)`;
/** An approved memory takes the place of the one that it was saved to supersede, if that is still there. */
const REPLACED = `user_id = ?1 AND id = ?4 AND id <> ?3 AND status <> 'trashed' AND superseded_by IS NULL
  AND EXISTS (SELECT 1 FROM memories n WHERE n.user_id = ?1 AND n.id = ?3 AND n.changed_op = ?2)`;
const SQL_REPLACED_VERSION = `INSERT INTO memory_versions (user_id, id, replaced_op, replaced_at, ${SHARED.names})
  SELECT user_id, id, ?2, ?5, ${SHARED.names} FROM memories WHERE ${REPLACED} ON CONFLICT DO NOTHING`;
const SQL_REPLACE = `UPDATE memories SET superseded_by = ?3, path_token = NULL, version = version + 1, changed_op = ?2, updated_at = ?5 WHERE ${REPLACED}`;
const SQL_CHANGE_OPERATION = `INSERT INTO operations (user_id, id, kind, grant_id, client, created_at, counts, undoes_op, subject)
  SELECT ?1, ?2, ?4, ?5, ?6, ?7, '{"memories":1}', NULL, ?3 FROM memories WHERE ${CHANGED} ON CONFLICT DO NOTHING`;

const SQL_WAS_CHANGED = `SELECT version FROM memories WHERE ${CHANGED}`;

const SQL_SWEEP =
  "DELETE FROM idempotency WHERE user_id = ?1 AND grant_id = ?2 AND expires_at <= ?3";

export type MemoryStore = ReturnType<typeof openMemories>;

export function openMemories(d1: D1Database, userId: string) {
  const db = drizzle(d1);
  const row = { ...getTableColumns(memories), body: sql<string>`hex(${memories.body})` };
  const versionRow = {
    ...getTableColumns(memoryVersions),
    body: sql<string>`hex(${memoryVersions.body})`,
  };

  function ordered(
    filter: MemoryFilter,
    order: MemoryOrder,
    { from, limit }: { readonly from: MemoryPlace | null; readonly limit: number },
    others?: SQL,
  ) {
    const [columns, direction] = sortOf(order);
    const place = from === null ? undefined : placeCondition(columns, direction, from);
    return db
      .select(row)
      .from(memories)
      .where(and(...conditionsOf(userId, filter), place, others))
      .orderBy(...columns.map((column) => direction(column)))
      .limit(limit);
  }

  return {
    async get(id: string): Promise<MemoryRow | null> {
      const [found] = await db
        .select(row)
        .from(memories)
        .where(and(eq(memories.userId, userId), eq(memories.id, id)));
      return found ?? null;
    },

    /** Rows in no particular order; unknown ids are absent. */
    async getMany(ids: readonly string[]): Promise<MemoryRow[]> {
      if (ids.length === 0) return [];
      return db
        .select(row)
        .from(sql`json_each(${JSON.stringify(ids)}) j`)
        .crossJoin(memories)
        .where(and(eq(memories.userId, userId), sql`${memories.id} = j.value`));
    },

    async getByFingerprint(fingerprint: string): Promise<MemoryRow | null> {
      const [found] = await db
        .select(row)
        .from(memories)
        .where(
          and(
            eq(memories.userId, userId),
            eq(memories.fingerprint, fingerprint),
            inArray(memories.status, ["active", "pending"]),
            isNull(memories.supersededBy),
          ),
        );
      return found ?? null;
    },

    /** Earlier states, newest first. */
    async history(id: string, limit: number): Promise<MemoryVersionRow[]> {
      return db
        .select(versionRow)
        .from(memoryVersions)
        .where(and(eq(memoryVersions.userId, userId), eq(memoryVersions.id, id)))
        .orderBy(desc(memoryVersions.version))
        .limit(limit);
    },

    /** The present state and earlier ones, newest first, each with the operation that brought it about where that is known. */
    async states(
      id: string,
      { before, limit }: { readonly before: number; readonly limit: number },
    ): Promise<MemoryStateRow[]> {
      // By other names: D1 answers a batch as objects, in which two columns of one name are one.
      const doer = {
        changedBy: sql<string | null>`${operations.client}`.as("changed_by"),
        changeKind: sql<OperationKind | null>`${operations.kind}`.as("change_kind"),
      };
      const done = (op: SQLiteColumn) => and(eq(operations.userId, userId), eq(operations.id, op));
      const [now, earlier] = await db.batch([
        db
          .select({ ...row, ...doer })
          .from(memories)
          .leftJoin(operations, done(memories.changedOp))
          .where(
            and(eq(memories.userId, userId), eq(memories.id, id), lt(memories.version, before)),
          ),
        db
          .select({ ...versionRow, ...doer })
          .from(memoryVersions)
          .leftJoin(operations, done(memoryVersions.changedOp))
          .where(
            and(
              eq(memoryVersions.userId, userId),
              eq(memoryVersions.id, id),
              lt(memoryVersions.version, before),
            ),
          )
          .orderBy(desc(memoryVersions.version))
          .limit(limit),
      ]);
      return [...now, ...earlier].slice(0, limit);
    },

    /** An earlier state; null: there is none of this version. */
    async version(id: string, version: number): Promise<MemoryVersionRow | null> {
      const [found] = await db
        .select(versionRow)
        .from(memoryVersions)
        .where(
          and(
            eq(memoryVersions.userId, userId),
            eq(memoryVersions.id, id),
            eq(memoryVersions.version, version),
          ),
        );
      return found ?? null;
    },

    /** The first rows of a listing. Nothing is counted, which would walk all that pass the filter. */
    /** @param except ids of those that are not wanted */
    async first(
      filter: MemoryFilter,
      order: MemoryOrder,
      { limit, except = [] }: { readonly limit: number; readonly except?: readonly string[] },
    ): Promise<MemoryRow[]> {
      const others =
        except.length === 0
          ? undefined
          : sql`${memories.id} NOT IN (SELECT value FROM json_each(${JSON.stringify(except)}))`;
      return ordered(filter, order, { from: null, limit }, others);
    },

    async list(
      filter: MemoryFilter,
      order: MemoryOrder,
      page: { readonly from: MemoryPlace | null; readonly limit: number },
    ): Promise<{ rows: MemoryRow[]; total: number }> {
      const conditions = conditionsOf(userId, filter);
      const [rows, [counted]] = await db.batch([
        ordered(filter, order, page),
        // Without filters the account's own counter knows, and nothing is walked.
        conditions.length > 2
          ? db
              .select({ total: sql<number>`count(*)` })
              .from(memories)
              .where(and(...conditions))
          : db
              .select({ total: sql<number>`${COUNTERS[filter.status]}` })
              .from(accounts)
              .where(eq(accounts.userId, userId)),
      ]);
      return { rows, total: counted?.total ?? 0 };
    },

    /** What an idempotency key was used for; null: not yet, or longer ago than it is kept. */
    async claimed(
      grantId: string,
      key: string,
      now: number,
    ): Promise<{ op: string; argsHash: string } | null> {
      const [found] = await db
        .select({ op: idempotency.op, argsHash: idempotency.argsHash })
        .from(idempotency)
        .where(
          and(
            eq(idempotency.userId, userId),
            eq(idempotency.grantId, grantId),
            eq(idempotency.key, key),
            gt(idempotency.expiresAt, now),
          ),
        );
      return found ?? null;
    },

    async create(input: CreateInput, operation: OperationInput): Promise<CreateOutcome> {
      const { row: created, claim, supersedes } = input;
      const { id: op, grantId, client, now } = operation;
      const key = claim?.key ?? null;
      const statements: D1PreparedStatement[] = [];
      // One keyed save in 32 sweeps old keys, because a sweep reads all of the grant's keys of the day.
      if (claim !== null && op.endsWith("a")) {
        statements.push(d1.prepare(SQL_SWEEP).bind(userId, grantId, now));
      }
      if (claim !== null) {
        statements.push(
          d1
            .prepare(SQL_CLAIM)
            .bind(userId, grantId, claim.key, claim.argsHash, op, claim.expiresAt, now),
        );
      }
      const { limit, makeRoom } = input;
      const place = placeParameter(input.place ?? ANYWHERE, [created.id]);
      if (makeRoom !== null) {
        const room = {
          op,
          roots: makeRoom.roots,
          place,
          grantId,
          key,
          fingerprint: created.fingerprint,
          limit,
          now,
          spared: supersedes,
          columns: SHARED.names,
        };
        statements.push(...roomStatements(d1, userId, room));
      }
      const inserted =
        statements.push(
          d1
            .prepare(SQL_INSERT)
            .bind(userId, op, grantId, key, JSON.stringify(created), limit, place),
        ) - 1;
      const freeAt =
        input.place === undefined
          ? -1
          : statements.push(d1.prepare(SQL_IS_FREE).bind(userId, place)) - 1;
      if (claim !== null) {
        statements.push(
          d1.prepare(SQL_RELEASE).bind(userId, grantId, claim.key, op, created.fingerprint),
        );
      }
      if (supersedes !== null) {
        const own = input.isBesideTwins === true ? created.id : null;
        const bound = [userId, op, grantId, key, created.fingerprint, supersedes, now, own];
        statements.push(
          d1.prepare(SQL_SUPERSEDED_VERSION).bind(...bound),
          d1.prepare(SQL_SUPERSEDE).bind(...bound),
        );
      }
      const labelled = { id: created.id, labels: { drop: [], add: input.labels } };
      statements.push(
        ...findableStatements(d1, userId, { items: [labelled], op, now }),
        d1.prepare(SQL_COUNT_NEW).bind(userId, op, created.id),
        d1
          .prepare(SQL_SAVE_OPERATION)
          .bind(userId, op, created.id, supersedes, grantId, client, now),
      );
      // A duplicate changes something only by what it supersedes.
      const operationAt =
        supersedes === null
          ? -1
          : statements.push(d1.prepare(SQL_HAS_OPERATION).bind(userId, op)) - 1;
      if (claim !== null) {
        statements.push(d1.prepare(SQL_VERDICT).bind(userId, grantId, claim.key));
      }
      const results = await runBatch(d1, statements);
      // True because the statements at these places return exactly these columns.
      const [made] = (results[inserted]?.results ?? []) as {
        id: string;
        expiresAt: number | null;
      }[];
      if (claim !== null) {
        const [verdict] = (results.at(-1)?.results ?? []) as { op: string; argsHash: string }[];
        if (verdict !== undefined && verdict.op !== op) {
          return verdict.argsHash === claim.argsHash
            ? { outcome: "replay", op: verdict.op }
            : { outcome: "idempotency_conflict" };
        }
      }
      if (made === undefined) {
        const isPlaceless = freeAt >= 0 && results[freeAt]?.results.length === 0;
        return { outcome: isPlaceless ? "no_place" : "full" };
      }
      // The statement before the insert reads what made room.
      const [trashed] = (makeRoom === null ? [] : (results[inserted - 1]?.results ?? [])) as [
        SealedText?,
      ];
      return made.id === created.id
        ? { outcome: "created", trashed: trashed ?? null }
        : {
            outcome: "duplicate",
            id: made.id,
            expiresAt: made.expiresAt,
            changed: results[operationAt]?.results.length === 1,
          };
    },

    /** Replaces a row, keeping the earlier state. False: it is at another version now, a living twin holds the new text, or its place is taken. */
    async change(input: ChangeInput, operation: OperationInput): Promise<boolean> {
      const { id, expectedVersion, row: changed, labels: changes, place = ANYWHERE } = input;
      const { id: op, grantId, client, now } = operation;
      const isLiving = changed.status !== "trashed" && changed.supersededBy === null ? 1 : 0;
      const statements = [
        d1
          .prepare(SQL_CHANGED_VERSION)
          .bind(
            userId,
            op,
            now,
            id,
            expectedVersion,
            changed.fingerprint,
            isLiving,
            placeParameter(place, [id]),
          ),
        d1.prepare(SQL_CHANGE).bind(userId, op, id, expectedVersion, JSON.stringify(changed)),
        ...findableStatements(d1, userId, {
          items: [{ id, ...(changes && { labels: changes }) }],
          op,
          now,
        }),
      ];
      if (input.supersedes !== undefined) {
        const bound = [userId, op, id, input.supersedes, now];
        statements.push(
          d1.prepare(SQL_REPLACED_VERSION).bind(...bound),
          d1.prepare(SQL_REPLACE).bind(...bound),
        );
      }
      statements.push(
        d1.prepare(SQL_COUNT_CHANGED).bind(userId, op, id, expectedVersion),
        d1.prepare(SQL_CHANGE_OPERATION).bind(userId, op, id, input.kind, grantId, client, now),
        d1.prepare(SQL_WAS_CHANGED).bind(userId, op, id),
      );
      const results = await runBatch(d1, statements);
      return results.at(-1)?.results.length === 1;
    },

    /** Up to three that a person would miss least, those first. @param roots label of the roots of stores */
    leastUseful(now: number, roots: string): Promise<SealedText[]> {
      return readLeastUseful(d1, userId, now, roots);
    },

    /** Whether a memory in the trash was approved when it went there, or waited. */
    async statusBeforeTrash(id: string): Promise<Exclude<MemoryStatus, "trashed">> {
      const [found] = await db
        .select({ status: memoryVersions.status })
        .from(memoryVersions)
        .where(
          and(
            eq(memoryVersions.userId, userId),
            eq(memoryVersions.id, id),
            ne(memoryVersions.status, "trashed"),
          ),
        )
        .orderBy(desc(memoryVersions.version))
        .limit(1);
      return found?.status === "pending" ? "pending" : "active";
    },

    /** Names of tags and projects, the most used first. @param limit of each kind */
    async labelNames(limit: number) {
      const uses = sql<number>`count(*)`;
      const named = (kind: "tag" | "project") =>
        db
          .select({ label: labels.label, body: sql<string>`hex(${labels.body})`, count: uses })
          .from(labels)
          .innerJoin(
            sql`memory_labels ml`,
            sql`ml.user_id = ${userId} AND ml.label = ${labels.label}`,
          )
          .innerJoin(memories, sql`${memories.seq} = ml.seq`)
          .where(
            and(eq(labels.userId, userId), eq(labels.kind, kind), ne(memories.status, "trashed")),
          )
          .groupBy(labels.label)
          .orderBy(desc(uses), asc(labels.label))
          .limit(limit);
      const [tags, projects] = await db.batch([named("tag"), named("project")]);
      return { tags, projects };
    },

    /** Which of these, that are in the trash, waited for approval when they went there. */
    async waitedBeforeTrash(ids: readonly string[]): Promise<Set<string>> {
      const last = await db
        .select({
          id: memoryVersions.id,
          status: memoryVersions.status,
          // Of the group that row gives the status.
          version: sql<number>`max(${memoryVersions.version})`,
        })
        .from(sql`json_each(${JSON.stringify(ids)}) j`)
        .crossJoin(memoryVersions)
        .where(
          and(
            eq(memoryVersions.userId, userId),
            sql`${memoryVersions.id} = j.value`,
            ne(memoryVersions.status, "trashed"),
          ),
        )
        .groupBy(memoryVersions.id);
      return new Set(last.filter(({ status }) => status === "pending").map(({ id }) => id));
    },

    /** Active memories counted by category, source, client and month together, in one walk over them; and the most used tags. */
    async tallies(topTags: number) {
      const count = sql<number>`count(*)`;
      const month = sql<string>`strftime('%Y-%m', ${memories.createdAt} / 1000, 'unixepoch')`;
      const { category, source, client } = memories;
      const [groups, tags] = await db.batch([
        db
          .select({ category, source, client, month, count })
          .from(memories)
          .where(and(eq(memories.userId, userId), eq(memories.status, "active")))
          .groupBy(category, source, client, month),
        db
          .select({
            label: labels.label,
            keyVersion: labels.keyVersion,
            body: sql<string>`hex(${labels.body})`,
            count,
          })
          .from(sql`memory_labels ml`)
          .innerJoin(labels, sql`${labels.userId} = ml.user_id AND ${labels.label} = ml.label`)
          .innerJoin(memories, sql`${memories.seq} = ml.seq`)
          .where(
            and(sql`ml.user_id = ${userId}`, eq(labels.kind, "tag"), eq(memories.status, "active")),
          )
          .groupBy(labels.label)
          .orderBy(desc(count), asc(labels.label))
          .limit(topTags),
      ]);
      return { groups, tags };
    },
  };
}

const COUNTERS = {
  active: accounts.memoriesActive,
  pending: accounts.memoriesPending,
  trashed: accounts.memoriesTrashed,
} as const satisfies Record<MemoryStatus, unknown>;

function sortOf(order: MemoryOrder): readonly [readonly SQLiteColumn[], typeof asc] {
  const { createdAt, updatedAt, importance, id } = memories;
  switch (order) {
    case "newest":
      return [[createdAt, id], desc];
    case "oldest":
      return [[createdAt, id], asc];
    case "updated":
      return [[updatedAt, id], desc];
    case "important":
      return [[importance, createdAt, id], desc];
  }
}

/** Beyond a place in the order, by a row value, which an index can follow. */
function placeCondition(
  columns: readonly SQLiteColumn[],
  direction: typeof asc,
  from: MemoryPlace,
): SQL {
  const names = sql.join(
    columns.map((column) => sql`${column}`),
    sql`, `,
  );
  const values = sql.join(
    from.map((value) => sql`${value}`),
    sql`, `,
  );
  return direction === desc ? sql`(${names}) < (${values})` : sql`(${names}) > (${values})`;
}
