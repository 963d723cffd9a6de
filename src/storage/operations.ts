/**
 * Operations, and undoing them. An undo brings back the earlier states that an operation replaced, as new versions, and puts what it
 * made into the trash. Rows are copied within the database: no key is needed, and one write costs each item once.
 */
import { and, desc, eq, gte, lt, ne, sql, type SQL } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { TOKENIZER_VERSION } from "../search/tokenize.ts";
import { runBatch } from "./batch.ts";
import { columnLists, prefixed } from "./columns.ts";
import { conversationStatements } from "./conversation-states.ts";
import { isRoot } from "./file-place.ts";
import { findableStatements, type LabelChanges } from "./findable.ts";
import type { OperationInput } from "./memories.ts";
import {
  conversations,
  conversationVersions,
  memories,
  memoryVersions,
  operations,
} from "./schema.ts";

export type OperationRow = typeof operations.$inferSelect;

/**
 * The operation whose change an item was left with when the one that is undone had ended: mostly that itself. What an archive brought was
 * left by an operation that came with it. Null: by none that is known.
 */
type LeftBy = string | null;

/** One memory as far as an undo must know it. */
export interface TouchedMemory {
  readonly id: string;
  readonly version: number;
  readonly changedOp: string;
  readonly leftBy: LeftBy;
  readonly bodyVersion: number;
  /** The state that the operation replaced; null: it made the memory. */
  readonly earlier: {
    readonly version: number;
    readonly bodyVersion: number;
    /** Whether the earlier state is found by its text: neither in the trash nor superseded. */
    readonly isLiving: boolean;
    readonly isRedacted: boolean;
  } | null;
}

/** A conversation that an operation made, or in which it changed something. */
export interface TouchedConversation {
  readonly id: string;
  readonly version: number;
  readonly changedOp: string;
  readonly leftBy: LeftBy;
  /** The state that the operation replaced; null: it made the conversation. */
  readonly earlierVersion: number | null;
}

export interface UndoItem {
  readonly id: string;
  /** As it is now. */
  readonly version: number;
  /** To bring back; null: to the trash. */
  readonly earlier: number | null;
  /** Where the text of the two differs. */
  readonly labels?: LabelChanges;
}

export interface UndoBatch {
  /** What becomes findable comes last, so that its text is free by then. */
  readonly leaving: readonly UndoItem[];
  readonly returning: readonly UndoItem[];
  readonly conversations: readonly UndoItem[];
}

const MEMORY = columnLists(memories, ["seq", "userId", "id"]);
/** What an undo writes anew, or leaves. */
const KEPT = ["version", "updatedAt", "lastUsedAt", "trashedAt", "changedOp"];
const RESTORED = earlierValues(columnLists(memories, ["seq", "userId", "id", ...KEPT]).names);

// ?1 user, ?2 the undo, ?3 time, ?4 items, ?5 label of the roots of stores. Each statement takes the items that are still as they were read, so that a batch that is
// run again finds none.
const AS_READ = `json_each(?4) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'id' AND m.version = j.value->>'version'
  LEFT JOIN memory_versions e ON e.user_id = ?1 AND e.id = m.id AND e.version = j.value->>'earlier'`;
/** A living memory that says the same would make two of one text. */
const HAS_NO_TWIN = `(coalesce(e.status, 'trashed') = 'trashed' OR e.superseded_by IS NOT NULL OR NOT EXISTS (SELECT 1 FROM memories t
  WHERE t.user_id = ?1 AND t.fingerprint = e.fingerprint AND t.status IN ('active', 'pending') AND t.superseded_by IS NULL AND t.id <> m.id))`;
/** What was redacted is without words, those of its day too: there is nothing to bring back. */
const IS_THERE = "(j.value->>'earlier' IS NULL OR e.dt <> '')";
/** A root leaves its place with the last of its files, which would answer to nobody. They are labelled with the place. */
const LEAVES_NO_FILES = `NOT (m.status = 'active' AND (e.status = 'active' AND e.path_token = m.path_token) IS NOT TRUE AND ${isRoot("m.seq", "?5")}
  AND EXISTS (SELECT 1 FROM memory_labels d CROSS JOIN memories f ON f.seq = d.seq AND f.status = 'active' AND f.path_token IS NOT NULL
    WHERE d.user_id = ?1 AND d.label = m.path_token AND f.id NOT IN (SELECT i.value->>'id' FROM json_each(?4) i)))`;
const MAY_GO = `${HAS_NO_TWIN} AND ${IS_THERE} AND ${LEAVES_NO_FILES}`;
// An earlier state may have been indexed by an earlier tokeniser: the account then says so, and is indexed again.
const SQL_COUNT = `INSERT INTO accounts (user_id, memory_tokenizer, memories_active, memories_pending, memories_trashed, memory_tokens, bytes)
  SELECT ?1, coalesce(min(n.tokenizer), ${TOKENIZER_VERSION}), coalesce(sum((n.status = 'active') - (n.was = 'active')), 0), coalesce(sum((n.status = 'pending') - (n.was = 'pending')), 0),
    coalesce(sum((n.status = 'trashed') - (n.was = 'trashed')), 0),
    coalesce(sum(iif(n.status = 'active', n.tokens, 0) - iif(n.was = 'active', n.had_tokens, 0)), 0), coalesce(sum(n.bytes - n.had_bytes), 0)
  FROM (SELECT m.status AS was, m.token_count AS had_tokens, m.size_bytes AS had_bytes, coalesce(e.status, 'trashed') AS status,
    coalesce(e.tokenizer_version, ${TOKENIZER_VERSION}) AS tokenizer, coalesce(e.token_count, m.token_count) AS tokens, coalesce(e.size_bytes, m.size_bytes) AS bytes FROM ${AS_READ} WHERE ${MAY_GO}) n WHERE true
  ON CONFLICT (user_id) DO UPDATE SET memory_tokenizer = min(memory_tokenizer, excluded.memory_tokenizer), memories_active = memories_active + excluded.memories_active,
    memories_pending = memories_pending + excluded.memories_pending, memories_trashed = memories_trashed + excluded.memories_trashed,
    memory_tokens = memory_tokens + excluded.memory_tokens, bytes = bytes + excluded.bytes, changes = changes + 1`;
const SQL_KEEP = `INSERT INTO memory_versions (user_id, id, replaced_op, replaced_at, ${MEMORY.names})
  SELECT ?1, m.id, ?2, ?3, ${prefixed("m", MEMORY.names)} FROM ${AS_READ} WHERE ${MAY_GO} ON CONFLICT DO NOTHING`;
const KEPT_BY_THIS = `EXISTS (SELECT 1 FROM memory_versions k WHERE k.user_id = ?1 AND k.id = memories.id AND k.version = memories.version AND k.replaced_op = ?2)`;
/** Materialised, they get an index: SQLite would compare each memory with each. */
const ITEMS = `WITH items AS MATERIALIZED (SELECT i.seq, j.value->>'version' AS version, j.value->>'earlier' AS earlier
  FROM json_each(?4) j CROSS JOIN memories i ON i.user_id = ?1 AND i.id = j.value->>'id')`;
/** Without the first condition SQLite walks all of the user's rows: the target of an UPDATE comes first, whatever the joins say. */
const AS_ITEM =
  "memories.seq IN (SELECT seq FROM items) AND items.seq = memories.seq AND memories.version = items.version";
const SQL_RESTORE = `${ITEMS} UPDATE memories SET ${RESTORED}, version = memories.version + 1, changed_op = ?2, updated_at = ?3,
  trashed_at = iif(e.status = 'trashed', coalesce(memories.trashed_at, ?3), NULL)
  FROM items CROSS JOIN memory_versions e ON e.user_id = ?1 AND e.version = items.earlier
  WHERE ${AS_ITEM} AND e.id = memories.id AND ${KEPT_BY_THIS}`;
const SQL_TRASH = `${ITEMS} UPDATE memories SET status = 'trashed', trashed_at = ?3, trashed_op = ?2, version = memories.version + 1, changed_op = ?2, updated_at = ?3
  FROM items WHERE ${AS_ITEM} AND items.earlier IS NULL AND ${KEPT_BY_THIS}`;
const SQL_DONE = `SELECT j.value AS id FROM json_each(?3) j WHERE
  EXISTS (SELECT 1 FROM memories m WHERE m.user_id = ?1 AND m.id = j.value AND m.changed_op = ?2)
  OR EXISTS (SELECT 1 FROM conversations c WHERE c.user_id = ?1 AND c.id = j.value AND c.changed_op = ?2)`;
/** Of the items in ?3 those that this operation has changed by now, after ?9, what it had counted before. */
const counted = (
  table: "memories" | "conversations",
) => `nullif(coalesce(?9->>'${table}', 0) + (SELECT count(*) FROM json_each(?3) j
  CROSS JOIN ${table} i ON i.user_id = ?1 AND i.id = j.value AND i.changed_op = ?2), 0)`;
/** In the batch that it counts, because what comes after it may fail. Without ?9 whoever asked counts: an import, by its report. */
const SQL_OPERATION = `INSERT INTO operations (user_id, id, kind, grant_id, client, created_at, counts, undoes_op, subject)
  SELECT ?1, ?2, ?8, ?4, ?5, ?6,
    iif(?9 IS NULL, '{}', json_patch('{}', json_object('memories', ${counted("memories")}, 'conversations', ${counted("conversations")}))), ?7, NULL
  WHERE EXISTS (${SQL_DONE}) ON CONFLICT (user_id, id) DO UPDATE SET counts = excluded.counts WHERE ?9 IS NOT NULL`;

const SQL_CHANGED_MEMORIES = `SELECT v.id FROM json_each(?2) j CROSS JOIN memory_versions v ON v.user_id = ?1 AND v.replaced_op = j.value
  UNION SELECT m.id FROM json_each(?2) j CROSS JOIN operations o ON o.user_id = ?1 AND o.id = j.value
    CROSS JOIN memories m ON m.user_id = ?1 AND m.id = o.subject`;
/** Operations of one kind, of one client, on one day (UTC, days since 1970). */
export interface WriteTally {
  readonly grantId: string;
  readonly kind: OperationRow["kind"];
  readonly day: number;
  readonly writes: number;
}

const SQL_TALLY = `SELECT grant_id AS grantId, kind, created_at / 86400000 AS day, count(*) AS writes
  FROM (SELECT grant_id, kind, created_at FROM operations WHERE user_id = ?1 ORDER BY id DESC LIMIT ?2) GROUP BY grant_id, kind, day`;

/** ?2 operation. A restore takes operations away, as D1's Time Travel does, and may leave those that were under way. */
const SQL_GOES_ON = `SELECT 1 FROM operations WHERE user_id = ?1 AND id = ?2
  AND NOT EXISTS (SELECT 1 FROM operations r WHERE r.user_id = ?1 AND r.id > ?2 AND r.kind = 'restore'
    AND EXISTS (SELECT 1 FROM jobs b WHERE b.user_id = ?1 AND b.id = r.subject AND b.kind = 'restore'))`;

export type OperationStore = ReturnType<typeof openOperations>;

export function openOperations(d1: D1Database, userId: string) {
  const db = drizzle(d1);
  const mine = eq(operations.userId, userId);

  function memoryStatements(
    items: readonly UndoItem[],
    roots: string | null,
    { id: op, now }: OperationInput,
  ): D1PreparedStatement[] {
    if (items.length === 0) return [];
    const rows = JSON.stringify(items);
    return [
      ...[SQL_COUNT, SQL_KEEP, SQL_RESTORE, SQL_TRASH].map((statement) =>
        bound(d1, statement, [userId, op, now, rows, roots]),
      ),
      ...findableStatements(d1, userId, { items, op, now }),
    ];
  }

  return {
    async get(id: string): Promise<OperationRow | null> {
      const [row] = await db
        .select()
        .from(operations)
        .where(and(mine, eq(operations.id, id)));
      return row ?? null;
    },

    /** Whether the account goes on from that operation: it is there, and no backup was restored since. */
    async goesOnFrom(id: string): Promise<boolean> {
      const { results } = await d1.prepare(SQL_GOES_ON).bind(userId, id).run();
      return results.length > 0;
    },

    /** Newest first. `before`: an operation's id. */
    async list(before: string | null, limit: number): Promise<OperationRow[]> {
      return db
        .select()
        .from(operations)
        .where(and(mine, before === null ? undefined : lt(operations.id, before)))
        .orderBy(desc(operations.id))
        .limit(limit);
    },

    /** How often each client wrote what, by day, among the newest operations. */
    async tally(limit: number): Promise<WriteTally[]> {
      const { results } = await d1.prepare(SQL_TALLY).bind(userId, limit).run<WriteTally>();
      return results;
    },

    /** What a client did from a time on, newest first, without what it undid. */
    async since(
      grantId: string,
      time: number,
      { before, limit }: { readonly before: string | null; readonly limit: number },
    ): Promise<OperationRow[]> {
      return db
        .select()
        .from(operations)
        .where(
          and(
            mine,
            eq(operations.grantId, grantId),
            gte(operations.createdAt, time),
            ne(operations.kind, "undo"),
            before === null ? undefined : lt(operations.id, before),
          ),
        )
        .orderBy(desc(operations.id))
        .limit(limit);
    },

    /** Ids of the memories that these operations were about, changed, trashed or brought back; not those that imports made, of which nobody knew. */
    async changedMemories(ids: readonly string[]): Promise<string[]> {
      const { results } = await d1
        .prepare(SQL_CHANGED_MEMORIES)
        .bind(userId, JSON.stringify(ids))
        .run<{ id: string }>();
      return results.map(({ id }) => id);
    },

    /** Who changed something, the latest first. */
    async clients(
      limit: number,
    ): Promise<{ grantId: string; client: string; operations: number; lastAt: number }[]> {
      return db
        .select({
          grantId: operations.grantId,
          // Beside max() SQLite takes it from the row of the maximum: as the client was called last.
          client: operations.client,
          operations: sql<number>`count(*)`,
          lastAt: sql<number>`max(${operations.createdAt})`,
        })
        .from(operations)
        .where(mine)
        .groupBy(operations.grantId)
        .orderBy(sql`max(${operations.createdAt}) DESC`)
        .limit(limit);
    },

    /** What a client did from a time on, summed by kind, without what it undid. */
    async sumsSince(
      grantId: string,
      time: number,
    ): Promise<
      {
        kind: OperationRow["kind"];
        operations: number;
        memories: number;
        conversations: number;
      }[]
    > {
      return db
        .select({
          kind: operations.kind,
          operations: sql<number>`count(*)`,
          memories: sumOf("memories"),
          conversations: sumOf("conversations"),
        })
        .from(operations)
        .where(
          and(
            mine,
            eq(operations.grantId, grantId),
            gte(operations.createdAt, time),
            ne(operations.kind, "undo"),
          ),
        )
        .groupBy(operations.kind);
    },

    /** Memories that it made or changed, as they are now. */
    async touchedMemories(operation: OperationRow): Promise<TouchedMemory[]> {
      const { id, kind, subject } = operation;
      if (isArchiveRestore(operation)) {
        const { version, changedOp, bodyVersion } = memories;
        const rows = await db
          .select({
            id: memories.id,
            version,
            changedOp,
            bodyVersion,
            leftBy: leftBy("memories", id),
          })
          .from(memories)
          .where(and(eq(memories.userId, userId), cameWith("memories", id)));
        return rows.map((row) => ({ ...row, earlier: null }));
      }
      const changed = await db
        .select({ id: memoryVersions.id, ...EARLIER })
        .from(memoryVersions)
        .where(and(eq(memoryVersions.userId, userId), eq(memoryVersions.replacedOp, id)))
        // Of several states the first stays in the map.
        .orderBy(desc(memoryVersions.version));
      const earlier = new Map(changed.map((row) => [row.id, row]));
      const columns = {
        id: memories.id,
        version: memories.version,
        createdOp: memories.createdOp,
        changedOp: memories.changedOp,
        bodyVersion: memories.bodyVersion,
      };
      const ids = JSON.stringify([...earlier.keys(), ...(subject === null ? [] : [subject])]);
      const [named, imported] = await db.batch([
        db
          .select(columns)
          .from(sql`json_each(${ids}) j`)
          .crossJoin(memories)
          .where(and(eq(memories.userId, userId), sql`${memories.id} = j.value`)),
        // Walks the user's memories, which no index spares: only an import or a sync makes many.
        db
          .select(columns)
          .from(memories)
          .where(
            and(
              eq(memories.userId, userId),
              kind === "import" || kind === "sync" ? eq(memories.createdOp, id) : sql`0`,
            ),
          ),
      ]);
      const touched = [...named, ...imported].filter(
        (row) => earlier.has(row.id) || row.createdOp === id,
      );
      const rows = [...new Map(touched.map((row) => [row.id, row])).values()];
      return rows.map((row) => {
        const before = earlier.get(row.id);
        return {
          ...row,
          leftBy: id,
          earlier:
            before === undefined
              ? null
              : {
                  version: before.version,
                  bodyVersion: before.bodyVersion,
                  isLiving: before.status !== "trashed" && before.supersededBy === null,
                  isRedacted: before.dt === "",
                },
        };
      });
    },

    async touchedConversations(operation: OperationRow): Promise<TouchedConversation[]> {
      const { id, kind, subject } = operation;
      if (isArchiveRestore(operation)) {
        const { version, changedOp } = conversations;
        const rows = await db
          .select({ id: conversations.id, version, changedOp, leftBy: leftBy("conversations", id) })
          .from(conversations)
          .where(and(eq(conversations.userId, userId), cameWith("conversations", id)));
        return rows.map((row) => ({ ...row, earlierVersion: null }));
      }
      // What is about one memory touches no conversation.
      if (subject !== null || kind === "save" || kind === "update" || kind === "rule") return [];
      return db
        .select({
          id: conversations.id,
          version: conversations.version,
          changedOp: conversations.changedOp,
          leftBy: sql<string>`${id}`,
          earlierVersion: sql<number | null>`(SELECT min(v.version) FROM conversation_versions v
            WHERE v.user_id = conversations.user_id AND v.id = conversations.id AND v.replaced_op = ${id})`,
        })
        .from(conversations)
        .where(
          and(
            eq(conversations.userId, userId),
            sql`(${conversations.createdOp} = ${id} OR ${conversations.id} IN (SELECT v.id FROM conversation_versions v
              WHERE v.user_id = ${userId} AND v.replaced_op = ${id}))`,
          ),
        );
    },

    /** By id, the state in which each of these was before it went to the trash. */
    async conversationsBeforeTrash(ids: readonly string[]): Promise<UndoItem[]> {
      const rows = await db
        .select({
          id: conversations.id,
          version: conversations.version,
          earlier: sql<number | null>`max(${conversationVersions.version})`,
        })
        .from(sql`json_each(${JSON.stringify(ids)}) j`)
        .crossJoin(conversations)
        .crossJoin(conversationVersions)
        .where(
          and(
            eq(conversations.userId, userId),
            sql`${conversations.id} = j.value`,
            eq(conversations.status, "trashed"),
            eq(conversationVersions.userId, userId),
            eq(conversationVersions.id, conversations.id),
            ne(conversationVersions.status, "trashed"),
          ),
        )
        .groupBy(conversations.id);
      return rows;
    },

    /** For each earlier state of items the operation that it came from, by `id operation that replaced it`. */
    async changesOf(
      kind: "memory" | "conversation",
      ids: readonly string[],
    ): Promise<Map<string, string>> {
      if (ids.length === 0) return new Map();
      const versions = kind === "memory" ? memoryVersions : conversationVersions;
      const rows = await db
        .select({
          id: versions.id,
          replacedOp: versions.replacedOp,
          changedOp: versions.changedOp,
        })
        .from(sql`json_each(${JSON.stringify(ids)}) j`)
        .crossJoin(versions)
        .where(and(eq(versions.userId, userId), sql`${versions.id} = j.value`))
        // Of several states that one operation replaced the first stays in the map.
        .orderBy(desc(versions.version));
      return new Map(
        rows.map(({ id, replacedOp, changedOp }) => [`${id} ${replacedOp}`, changedOp]),
      );
    },

    /**
     * One atomic batch.
     * @returns the ids of the items that were brought back or trashed: those that are still as they were read, except for the root of a
     * store that would leave files behind
     */
    async bringBack(
      batch: UndoBatch,
      {
        kind,
        undoes,
        roots = null,
        before,
      }: {
        readonly kind: OperationRow["kind"];
        readonly undoes: string | null;
        /** What the operation has counted in earlier batches; null: it is counted elsewhere. */
        readonly before: Readonly<Partial<Record<"memories" | "conversations", number>>> | null;
        /** Label of the roots of stores; null where no active memory leaves its place. */
        readonly roots?: string | null;
      },
      operation: OperationInput,
    ): Promise<Set<string>> {
      const { id: op, grantId, client, now } = operation;
      const { leaving, returning } = batch;
      const ids = JSON.stringify(
        [...leaving, ...returning, ...batch.conversations].map(({ id }) => id),
      );
      const conversationRows = JSON.stringify(batch.conversations);
      // What goes to the trash as a whole takes its messages with it.
      const withMessages =
        undoes !== null && batch.conversations.some(({ earlier }) => earlier !== null);
      const statements = [
        ...memoryStatements(leaving, roots, operation),
        ...memoryStatements(returning, roots, operation),
        ...(batch.conversations.length === 0
          ? []
          : conversationStatements({ withMessages }).map((statement) =>
              bound(d1, statement, [userId, op, now, conversationRows, undoes]),
            )),
        d1
          .prepare(SQL_OPERATION)
          .bind(
            userId,
            op,
            ids,
            grantId,
            client,
            now,
            undoes,
            kind,
            before === null ? null : JSON.stringify(before),
          ),
        d1.prepare(SQL_DONE).bind(userId, op, ids),
      ];
      const results = await runBatch(d1, statements);
      // True because the last statement returns this column.
      const done = (results.at(-1)?.results ?? []) as { id: string }[];
      return new Set(done.map(({ id }) => id));
    },
  };
}

/** By kind of item; `purged_…`: those of them that are gone for good. */
export function countsOf({ counts }: OperationRow): Partial<Record<string, number>> {
  return JSON.parse(counts) as Partial<Record<string, number>>; // written by the stores alone
}

/** An archive brings its items with the operations that made them: their own is about the job that wrote them. Other imports are about many items. */
export function isArchiveRestore({
  kind,
  subject,
}: Pick<OperationRow, "kind" | "subject">): boolean {
  return kind === "import" && subject !== null;
}

const VERSIONS_OF = {
  memories: "memory_versions",
  conversations: "conversation_versions",
} as const;

/** What came with an archive, by its restore. The account was empty before, and ids of operations sort by time. What came into the trash stays there. */
function cameWith(items: keyof typeof VERSIONS_OF, restore: string): SQL {
  const table = sql.raw(items);
  return sql`${table}.created_op < ${restore} AND NOT (${table}.status = 'trashed' AND ${table}.changed_op < ${restore})`;
}

/** By which operation of the archive it was left as it came. */
function leftBy(items: keyof typeof VERSIONS_OF, restore: string): SQL<LeftBy> {
  const [table, versions] = [sql.raw(items), sql.raw(VERSIONS_OF[items])];
  return sql<LeftBy>`iif(${table}.changed_op < ${restore}, ${table}.changed_op, (SELECT v.changed_op FROM ${versions} v
    WHERE v.user_id = ${table}.user_id AND v.id = ${table}.id AND v.changed_op < ${restore} ORDER BY v.version DESC LIMIT 1))`;
}

const EARLIER = {
  version: memoryVersions.version,
  bodyVersion: memoryVersions.bodyVersion,
  status: memoryVersions.status,
  supersededBy: memoryVersions.supersededBy,
  // Every state has words of its day in it, except for one that was redacted (`memory-files.ts`).
  dt: memoryVersions.dt,
};

function sumOf(item: "memories" | "conversations") {
  return sql<number>`coalesce(sum(${operations.counts}->>${item}), 0)`;
}

/** D1 refuses values that a statement does not name. */
function bound(d1: D1Database, statement: string, values: readonly unknown[]): D1PreparedStatement {
  const used = Math.max(...[...statement.matchAll(/\?(\d)/gu)].map(([, place]) => Number(place)));
  return d1.prepare(statement).bind(...values.slice(0, used));
}

function earlierValues(names: string): string {
  return names
    .split(", ")
    .map((name) => `${name} = e.${name}`)
    .join(", ");
}
