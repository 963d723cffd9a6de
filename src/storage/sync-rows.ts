/** Items by id with all of their states, page by page, as a sync reads them. */
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
import type { MemoryRow, MemoryVersionRow } from "./memories.ts";
import {
  conversations,
  conversationVersions,
  memories,
  memoryVersions,
  messages,
  messageVersions,
} from "./schema.ts";

const ASKED = "json_each(?2) j CROSS JOIN";
const SQL_READ_MEMORIES = pageSql(
  memories,
  ["j.key"],
  "t.user_id = ?1 AND t.id = j.value AND j.key > ?3",
  `${ASKED} memories t`,
);
const SQL_READ_MEMORY_VERSIONS = pageSql(
  memoryVersions,
  ["j.key", "t.version"],
  "t.user_id = ?1 AND t.id = j.value AND (j.key, t.version) > (?3, ?4)",
  `${ASKED} memory_versions t`,
);
const SQL_READ_CONVERSATIONS = pageSql(
  conversations,
  ["j.key"],
  "t.user_id = ?1 AND t.id = j.value AND j.key > ?3",
  `${ASKED} conversations t`,
);
const SQL_READ_CONVERSATION_VERSIONS = pageSql(
  conversationVersions,
  ["j.key", "t.version"],
  "t.user_id = ?1 AND t.id = j.value AND (j.key, t.version) > (?3, ?4)",
  `${ASKED} conversation_versions t`,
);
const SQL_READ_MESSAGES = pageSql(
  messages,
  ["j.key", "t.position", "t.seq"],
  "t.user_id = ?1 AND t.conversation = j.value AND (j.key, t.position, t.seq) > (?3, ?4, ?5)",
  `${ASKED} messages t`,
);
const SQL_READ_MESSAGE_VERSIONS = pageSql(
  messageVersions,
  ["j.key", "t.id", "t.version"],
  "t.user_id = ?1 AND t.conversation = j.value AND (j.key, t.id, t.version) > (?3, ?4, ?5)",
  `${ASKED} message_versions t`,
);

const SQL_REDACTED_STATES = `SELECT v.id, count(*) AS states FROM json_each(?2) j CROSS JOIN memory_versions v ON v.user_id = ?1 AND v.id = j.value AND v.dt = ''
  GROUP BY v.id`;

export type SyncRows = ReturnType<typeof openSyncRows>;

export function openSyncRows(d1: D1Database, userId: string) {
  const page = <Row>(statement: string, values: readonly unknown[]) =>
    readPage<Row>(d1, statement, [userId, ...values]);

  return {
    /** Of these ids, whatever their status, in the order given. @param after the last one's place among them */
    async memories(ids: readonly string[], after: number): Promise<Page<ExportRow<MemoryRow>>> {
      return memoryPage(
        await page<StoredFlags<ExportRow<MemoryRow>>>(SQL_READ_MEMORIES, [
          JSON.stringify(ids),
          after,
        ]),
      );
    },

    async memoryVersions(
      ids: readonly string[],
      [item, version]: readonly [number, number],
    ): Promise<Page<ExportRow<MemoryVersionRow>>> {
      return memoryPage(
        await page<StoredFlags<ExportRow<MemoryVersionRow>>>(SQL_READ_MEMORY_VERSIONS, [
          JSON.stringify(ids),
          item,
          version,
        ]),
      );
    },

    conversations: (ids: readonly string[], after: number): Promise<Page<ConversationRow>> =>
      page<ConversationRow>(SQL_READ_CONVERSATIONS, [JSON.stringify(ids), after]),

    conversationVersions: (
      ids: readonly string[],
      place: readonly [item: number, version: number],
    ): Promise<Page<ConversationVersionRow>> =>
      page<ConversationVersionRow>(SQL_READ_CONVERSATION_VERSIONS, [JSON.stringify(ids), ...place]),

    /** In order. */
    messages: (
      ids: readonly string[],
      place: readonly [item: number, position: number, seq: number],
    ): Promise<Page<ExportRow<MessageRow>>> =>
      page<ExportRow<MessageRow>>(SQL_READ_MESSAGES, [JSON.stringify(ids), ...place]),

    messageVersions: (
      ids: readonly string[],
      place: readonly [item: number, id: string, version: number],
    ): Promise<Page<ExportRow<MessageVersionRow>>> =>
      page<ExportRow<MessageVersionRow>>(SQL_READ_MESSAGE_VERSIONS, [
        JSON.stringify(ids),
        ...place,
      ]),

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
