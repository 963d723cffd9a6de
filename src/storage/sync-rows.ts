/** Items by id with all of their states, page by page, as a sync reads them. */
import { getTableConfig, type SQLiteTable } from "drizzle-orm/sqlite-core";
import type { ConversationRow, MessageRow } from "./conversations.ts";
import {
  memoryPage,
  pageSql,
  readPage,
  type ConversationVersionRow,
  type ExportRow,
  type MessageVersionRow,
  type Page,
  type StoredFlags,
} from "./export-rows.ts";
import { isUnderWay } from "./import-under-way.ts";
import type { MemoryRow, MemoryVersionRow } from "./memories.ts";
import {
  conversations,
  conversationVersions,
  memories,
  memoryVersions,
  messages,
  messageVersions,
} from "./schema.ts";

/** ?2 ids, ?3 rows at most, then the place of the last row. */
const LIMIT = "?3";
const askedSql = (table: SQLiteTable, order: readonly string[], condition: string) =>
  pageSql(
    table,
    ["j.key", ...order],
    `t.user_id = ?1 AND j.key >= ?4 AND ${condition}`,
    `json_each(?2) j CROSS JOIN ${getTableConfig(table).name} t`,
    LIMIT,
  );
const SQL_READ_MEMORIES = askedSql(memories, [], "t.id = j.value AND j.key > ?4");
const SQL_READ_MEMORY_VERSIONS = askedSql(
  memoryVersions,
  ["t.version"],
  "t.id = j.value AND (j.key, t.version) > (?4, ?5)",
);
const SQL_READ_CONVERSATIONS = askedSql(conversations, [], "t.id = j.value AND j.key > ?4");
const SQL_READ_CONVERSATION_VERSIONS = askedSql(
  conversationVersions,
  ["t.version"],
  "t.id = j.value AND (j.key, t.version) > (?4, ?5)",
);
/** All rows of those that are left are walked and sorted for each page, so they are to be short. */
const SQL_READ_MESSAGES = askedSql(
  messages,
  ["t.position", "t.seq"],
  "t.conversation = j.value AND (j.key, t.position, t.seq) > (?4, ?5, ?6)",
);
const SQL_READ_MESSAGE_VERSIONS = askedSql(
  messageVersions,
  ["t.id", "t.version"],
  "t.conversation = j.value AND (j.key, t.id, t.version) > (?4, ?5, ?6)",
);
// Of one conversation, however long, a page is walked from its place on, along the index. ?2 its id.
const SQL_READ_MESSAGES_OF_ONE = pageSql(
  messages,
  ["t.position", "t.seq"],
  "t.user_id = ?1 AND t.conversation = ?2 AND t.position >= ?4 AND (t.position, t.seq) > (?4, ?5)",
  "messages t",
  LIMIT,
);
const SQL_READ_MESSAGE_VERSIONS_OF_ONE = pageSql(
  messageVersions,
  ["t.id", "t.version"],
  "t.user_id = ?1 AND t.conversation = ?2 AND (t.id, t.version) > (?4, ?5)",
  "message_versions t",
  LIMIT,
);

const SQL_REDACTED_STATES = `SELECT v.id, count(*) AS states FROM json_each(?2) j CROSS JOIN memory_versions v ON v.user_id = ?1 AND v.id = j.value AND v.dt = ''
  GROUP BY v.id`;

const SQL_UNDER_WAY = `SELECT i.operation_id AS operation FROM jobs i WHERE i.user_id = ?1 AND i.operation_id IS NOT NULL AND ${isUnderWay("i")}`;

export type SyncRows = ReturnType<typeof openSyncRows>;

/** Items by id, whatever their status, in the order given. */
export interface AskedItems {
  readonly ids: readonly string[];
  /** Of a page, at most `ROWS_A_PAGE`. */
  readonly limit: number;
}

export function openSyncRows(d1: D1Database, userId: string) {
  const page = <Row>(
    statement: string,
    { ids, limit }: AskedItems,
    place: readonly (number | string)[],
  ) => readPage<Row>(d1, statement, [userId, JSON.stringify(ids), limit, ...place], limit);

  function placed<Row>(
    [ofMany, ofOne]: readonly [string, string],
    { ids, limit }: AskedItems,
    [item, ...after]: readonly [item: number, string | number, number],
  ): Promise<Page<Row>> {
    const [only, ...others] = ids;
    if (only === undefined || others.length > 0) {
      return page<Row>(ofMany, { ids, limit }, [item, ...after]);
    }
    return readPage<Row>(d1, ofOne, [userId, only, limit, ...after], limit);
  }

  return {
    /** @param after the last one's place among them */
    async memories(asked: AskedItems, after: number): Promise<Page<ExportRow<MemoryRow>>> {
      return memoryPage(
        await page<StoredFlags<ExportRow<MemoryRow>>>(SQL_READ_MEMORIES, asked, [after]),
      );
    },

    async memoryVersions(
      asked: AskedItems,
      place: readonly [item: number, version: number],
    ): Promise<Page<ExportRow<MemoryVersionRow>>> {
      return memoryPage(
        await page<StoredFlags<ExportRow<MemoryVersionRow>>>(
          SQL_READ_MEMORY_VERSIONS,
          asked,
          place,
        ),
      );
    },

    conversations: (asked: AskedItems, after: number): Promise<Page<ConversationRow>> =>
      page<ConversationRow>(SQL_READ_CONVERSATIONS, asked, [after]),

    conversationVersions: (
      asked: AskedItems,
      place: readonly [item: number, version: number],
    ): Promise<Page<ConversationVersionRow>> =>
      page<ConversationVersionRow>(SQL_READ_CONVERSATION_VERSIONS, asked, place),

    /** In order. */
    messages: (
      asked: AskedItems,
      place: readonly [item: number, position: number, seq: number],
    ): Promise<Page<ExportRow<MessageRow>>> =>
      placed<ExportRow<MessageRow>>([SQL_READ_MESSAGES, SQL_READ_MESSAGES_OF_ONE], asked, place),

    messageVersions: (
      asked: AskedItems,
      place: readonly [item: number, id: string, version: number],
    ): Promise<Page<ExportRow<MessageVersionRow>>> =>
      placed<ExportRow<MessageVersionRow>>(
        [SQL_READ_MESSAGE_VERSIONS, SQL_READ_MESSAGE_VERSIONS_OF_ONE],
        asked,
        place,
      ),

    /** Operations of imports that have more to bring. */
    async importsUnderWay(): Promise<Set<string>> {
      const { results } = await d1.prepare(SQL_UNDER_WAY).bind(userId).run<{ operation: string }>();
      return new Set(results.map(({ operation }) => operation));
    },

    /** By id, how many earlier states had their text taken out, which changes no version. */
    async redactedStates(ids: readonly string[]): Promise<Map<string, number>> {
      const { results } = await d1
        .prepare(SQL_REDACTED_STATES)
        .bind(userId, JSON.stringify(ids))
        .run<{ id: string; states: number }>();
      return new Map(results.map(({ id, states }) => [id, states]));
    },
  };
}
