/**
 * Everything of one user in the order of an export: page after page beyond a place in a unique order that no change moves a row in (ids,
 * times of making), so that what changes meanwhile is neither lost nor read twice. A page ends at a number of rows or of ciphertext bytes, because some hundred rows of the largest size
 * would be more than an isolate can hold.
 */
import { and, asc, eq, getTableColumns, gt, gte, lt, or, sql } from "drizzle-orm";
import { getTableConfig, type SQLiteTable } from "drizzle-orm/sqlite-core";
import { drizzle } from "drizzle-orm/d1";
import { REMOVED_FROM, type ConversationRow, type MessageRow } from "./conversations.ts";
import type { MemoryRow, MemoryVersionRow } from "./memories.ts";
import type { OperationRow } from "./operations.ts";
import {
  conversations,
  conversationVersions,
  memories,
  memoryVersions,
  messages,
  messageVersions,
  operations,
  MEMORY_STATUSES,
} from "./schema.ts";

export type ConversationVersionRow = Omit<typeof conversationVersions.$inferSelect, "body"> & {
  readonly body: string;
};
export type MessageVersionRow = Omit<typeof messageVersions.$inferSelect, "body"> & {
  readonly body: string;
};

/** A row without what is derived from its text: half of what is stored, and nothing that leaves. */
export type ExportRow<Row> = Omit<Row, "tokens" | "dt" | "speaker">;
const DERIVED = ["tokens", "dt", "speaker"];

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** There is nothing beyond them. */
  readonly isLast: boolean;
}

/** Time and id of the last memory or conversation of a page. */
export type TimePlace = readonly [createdAt: number, id: string];

/** Rows of a page. Arbitrary: some hundreds of kilobytes of ordinary text. */
export const ROWS_A_PAGE = 500;
/** Ciphertext of a page, which arrives as twice as many characters of hex; the last row may exceed it. Arbitrary, far below 128 MB. */
export const PAGE_BYTES = 1_000_000;
/** Arbitrary: as many chats as have, at ten messages each, a page of messages. */
const CONVERSATIONS_A_PAGE = 50;

const SQL_MEMORIES = pageSql(
  memories,
  ["t.id"],
  "t.user_id = ?1 AND t.id > ?2",
  "memories t",
  "?3",
);
/** Of each status as many as a page holds, found along the index, and of those the first: a memory has its place whatever its status becomes. */
const SQL_MEMORIES_BY_TIME = pageSql(
  memories,
  ["t.created_at", "t.id"],
  "true",
  `(${MEMORY_STATUSES.map(
    (
      status,
    ) => `SELECT * FROM (SELECT s.seq FROM memories s WHERE s.user_id = ?1 AND s.status = '${status}'
      AND (s.created_at, s.id) > (?2, ?3) ORDER BY s.created_at, s.id LIMIT ${ROWS_A_PAGE})`,
  ).join(" UNION ALL ")}) f CROSS JOIN memories t ON t.seq = f.seq`,
);
const SQL_MEMORY_VERSIONS = pageSql(
  memoryVersions,
  ["t.id", "t.version"],
  "t.user_id = ?1 AND (t.id, t.version) > (?2, ?3)",
);
const SQL_MESSAGES = pageSql(
  messages,
  ["t.position", "t.seq"],
  "t.user_id = ?1 AND t.conversation = ?2 AND t.position >= ?3",
);
/** SQLite sorts these, which an index would spare it for a single conversation. */
const SQL_MESSAGES_OF_MANY = pageSql(
  messages,
  ["j.key", "t.position", "t.seq"],
  "t.user_id = ?1 AND t.conversation = j.value",
  "json_each(?2) j CROSS JOIN messages t",
);
/** Several that undos took out may have had one place. */
const SQL_REMOVED_MESSAGES = pageSql(
  messages,
  ["t.conversation", "t.position", "t.id"],
  `t.user_id = ?1 AND t.conversation > '${REMOVED_FROM}' AND (t.conversation, t.position, t.id) > (?2, ?3, ?4)`,
);
const SQL_CONVERSATION_VERSIONS = pageSql(
  conversationVersions,
  ["t.id", "t.version"],
  "t.user_id = ?1 AND (t.id, t.version) > (?2, ?3)",
);
const SQL_MESSAGE_VERSIONS = pageSql(
  messageVersions,
  ["t.conversation", "t.id", "t.version"],
  "t.user_id = ?1 AND (t.conversation, t.id, t.version) > (?2, ?3, ?4)",
);

export type ExportRows = ReturnType<typeof openExportRows>;

export function openExportRows(d1: D1Database, userId: string) {
  const db = drizzle(d1);
  const conversationRow = {
    ...getTableColumns(conversations),
    body: sql<string>`hex(${conversations.body})`,
  };

  const page = <Row>(statement: string, values: readonly unknown[]) =>
    readPage<Row>(d1, statement, [userId, ...values]);

  return {
    /** By id, whatever their status. */
    async memories(after: string, limit = ROWS_A_PAGE): Promise<Page<ExportRow<MemoryRow>>> {
      const values = [userId, after, limit];
      return memoryPage(
        await readPage<StoredFlags<ExportRow<MemoryRow>>>(d1, SQL_MEMORIES, values, limit),
      );
    },

    /** Oldest first, whatever their status. */
    async memoriesByTime(after: TimePlace | null): Promise<Page<ExportRow<MemoryRow>>> {
      const place = after ?? [Number.MIN_SAFE_INTEGER, ""];
      return memoryPage(await page<StoredFlags<ExportRow<MemoryRow>>>(SQL_MEMORIES_BY_TIME, place));
    },

    /** Earlier states by id and version. */
    async memoryVersions([id, version]: readonly [string, number]): Promise<
      Page<ExportRow<MemoryVersionRow>>
    > {
      return memoryPage(
        await page<StoredFlags<ExportRow<MemoryVersionRow>>>(SQL_MEMORY_VERSIONS, [id, version]),
      );
    },

    /** By id, whatever their status. */
    async conversations(after: string, limit = CONVERSATIONS_A_PAGE): Promise<ConversationRow[]> {
      return db
        .select(conversationRow)
        .from(conversations)
        .where(and(eq(conversations.userId, userId), gt(conversations.id, after)))
        .orderBy(asc(conversations.id))
        .limit(limit);
    },

    /** Active ones by when they began. `from` inclusive, `before` exclusive, milliseconds UTC. */
    async conversationsByTime(
      after: TimePlace | null,
      { from, before }: { readonly from?: number; readonly before?: number } = {},
    ): Promise<ConversationRow[]> {
      const { createdAt, id } = conversations;
      return db
        .select(conversationRow)
        .from(conversations)
        .where(
          and(
            eq(conversations.userId, userId),
            eq(conversations.status, "active"),
            from === undefined ? undefined : gte(createdAt, from),
            before === undefined ? undefined : lt(createdAt, before),
            after === null
              ? undefined
              : or(gt(createdAt, after[0]), and(eq(createdAt, after[0]), gt(id, after[1]))),
          ),
        )
        .orderBy(asc(createdAt), asc(id))
        .limit(CONVERSATIONS_A_PAGE);
    },

    /** In order, from a position on. */
    messages: (conversation: string, from: number): Promise<Page<ExportRow<MessageRow>>> =>
      page<ExportRow<MessageRow>>(SQL_MESSAGES, [conversation, from]),

    /** Of short conversations, in the order given: all of their rows are walked, however many fit the page. */
    messagesOfMany: (ids: readonly string[]): Promise<Page<ExportRow<MessageRow>>> =>
      page<ExportRow<MessageRow>>(SQL_MESSAGES_OF_MANY, [JSON.stringify(ids)]),

    /** Those that undos took out of their conversations. */
    removedMessages: (place: readonly [conversation: string, position: number, id: string]) =>
      page<ExportRow<MessageRow>>(SQL_REMOVED_MESSAGES, place),

    conversationVersions: (place: readonly [id: string, version: number]) =>
      page<ConversationVersionRow>(SQL_CONVERSATION_VERSIONS, place),

    messageVersions: (place: readonly [conversation: string, id: string, version: number]) =>
      page<ExportRow<MessageVersionRow>>(SQL_MESSAGE_VERSIONS, place),

    /** Oldest first. */
    async operations(after: string): Promise<Page<OperationRow>> {
      const rows = await db
        .select()
        .from(operations)
        .where(and(eq(operations.userId, userId), gt(operations.id, after)))
        .orderBy(asc(operations.id))
        .limit(ROWS_A_PAGE);
      return { rows, isLast: rows.length < ROWS_A_PAGE };
    },
  };
}

/** @param statement from `pageSql` @param limit as the statement has it */
export async function readPage<Row>(
  d1: D1Database,
  statement: string,
  values: readonly unknown[],
  limit = ROWS_A_PAGE,
): Promise<Page<Row>> {
  const { results } = await d1
    .prepare(statement)
    .bind(...values)
    .run<Row & { readonly found: number }>();
  const [first] = results;
  const isCut = first !== undefined && (results.length < first.found || first.found === limit);
  return { rows: results, isLast: !isCut };
}

/** Sizes are added up before any row is read whole. `t`: the table's rows in order and condition. `limit`: SQL. */
export function pageSql(
  table: SQLiteTable,
  order: readonly string[],
  condition: string,
  from = `${getTableConfig(table).name} t`,
  limit = String(ROWS_A_PAGE),
): string {
  const columns = Object.entries(getTableColumns(table))
    .filter(([key]) => !DERIVED.includes(key))
    .map(([key, { name }]) => (name === "body" ? "hex(r.body) AS body" : `r.${name} AS "${key}"`));
  const keys = order.map((_, at) => `k${at}`).join(", ");
  return `SELECT ${columns.join(", ")}, w.found FROM (
    SELECT p.row, count(*) OVER () AS found, sum(p.size) OVER (ORDER BY ${keys} ROWS UNBOUNDED PRECEDING) - p.size AS before FROM (
      SELECT t.rowid AS row, length(t.body) AS size, ${order.map((value, at) => `${value} AS k${at}`).join(", ")}
      FROM ${from} WHERE ${condition} ORDER BY ${order.join(", ")} LIMIT ${limit}) p) w
  CROSS JOIN ${getTableConfig(table).name} r ON r.rowid = w.row WHERE w.before < ${PAGE_BYTES} ORDER BY w.before`;
}

/** SQLite has no booleans. */
export type StoredFlags<Row extends { readonly userAsked: boolean }> = Omit<Row, "userAsked"> & {
  readonly userAsked: number;
};

export function memoryPage<Row extends { readonly userAsked: boolean }>({
  rows,
  isLast,
}: Page<StoredFlags<Row>>): Page<Row> {
  return {
    // True because the flag is all that differs.
    rows: rows.map((row) => ({ ...row, userAsked: row.userAsked === 1 }) as unknown as Row),
    isLast,
  };
}
