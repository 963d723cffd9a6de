/**
 * Conversations of one account as another one has them, written as memories are (`synced-memories.ts`). Of a long one each part is a batch:
 * the first changes its row, and what follows hangs on that.
 */
import { and, eq, getTableColumns, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { TOKENIZER_VERSION } from "../search/tokenize.ts";
import { each, runBatch } from "./batch.ts";
import { columnLists, prefixed } from "./columns.ts";
import { REMOVED_FROM, type ConversationRow } from "./conversations.ts";
import type { ConversationVersionRow, MessageVersionRow } from "./export-rows.ts";
import {
  INDEX_MESSAGES,
  ROWS_WRITTEN,
  type SealedConversation,
  type SealedMessage,
} from "./imports.ts";
import type { OperationInput } from "./memories.ts";
import { CONTEXT_TURNS } from "./message-index.ts";
import { conversations, conversationVersions, messages, messageVersions } from "./schema.ts";
import { operationStatement, spendStatement, writtenIn, type Expected } from "./sync-batch.ts";

type OfUser<Row> = Omit<Row, "userId">;

export interface ConversationUnitRows {
  readonly row: SealedConversation & Expected;
  readonly between: readonly OfUser<Omit<ConversationVersionRow, "digest">>[];
  /** In the conversation of this account, by their keys of origin. */
  readonly messages: readonly (Omit<SealedMessage, "conversationKey"> & { conversation: string })[];
  readonly messageVersions: readonly OfUser<MessageVersionRow>[];
  /** Ids of messages that the other side has no more. */
  readonly removed: readonly string[];
  readonly moved: readonly { readonly id: string; readonly position: number }[];
  /** Where words changed, came or went. */
  readonly places: readonly number[];
}

export interface MetMessage {
  readonly id: string;
  readonly conversation: string;
  readonly originKey: string;
  readonly position: number;
  readonly version: number;
  readonly createdOp: string;
  readonly changedOp: string;
}

const CONVERSATION = columnLists(conversations, ["userId", "messageCount"], "j.value");
const CONVERSATION_SHARED = columnLists(conversations, ["userId", "id", "messageCount"]);
/** The key of origin stays: it may be of the id that the conversation has here. */
const CONVERSATION_CHANGED = columnLists(conversations, [
  "userId",
  "id",
  "messageCount",
  "originKey",
]);
const CONVERSATION_VERSION = columnLists(conversationVersions, ["userId"], "j.value");
const MESSAGE = columnLists(messages, ["seq", "userId"], "j.value");
const MESSAGE_SHARED = columnLists(messages, ["seq", "userId", "conversation", "id", "originKey"]);
const MESSAGE_CHANGED = columnLists(messages, ["seq", "userId", "id", "originKey"]);
const MESSAGE_VERSION = columnLists(messageVersions, ["userId"], "j.value");

// ?1 user, ?2 operation, ?3 time, ?4 rows, each with the version that it is expected at.
const CONVERSATION_AS_SEEN = `(SELECT s.version FROM conversations s WHERE s.user_id = ?1 AND s.id = j.value->>'id') IS j.value->>'expected'`;
const SQL_COUNT_CONVERSATIONS = `UPDATE operations SET counts = json_set(counts, '$.conversations', coalesce(counts->>'$.conversations', 0)
  + (SELECT count(*) FROM json_each(?4) j WHERE ${CONVERSATION_AS_SEEN})) WHERE user_id = ?1 AND id = ?2`;
/** Messages count as long as their conversation is in use: they come and go with its status here, and by themselves below. */
const SQL_CONVERSATION_SUMS = `INSERT INTO accounts (user_id, memory_tokenizer, message_tokenizer, conversations, conversations_trashed, messages, message_tokens, bytes, changes)
  SELECT ?1, ${TOKENIZER_VERSION}, ${TOKENIZER_VERSION}, coalesce(sum(n.now - n.was), 0), coalesce(sum((NOT n.now) - n.was_trashed), 0),
    coalesce(sum((n.now - n.was) * n.messages), 0), coalesce(sum((n.now - n.was) * n.tokens), 0), coalesce(sum((n.now - n.was) * n.bytes), 0), 1
  FROM (SELECT j.value->>'status' = 'active' AS now, coalesce(c.status = 'active', 0) AS was, coalesce(c.status <> 'active', 0) AS was_trashed,
      count(m.seq) AS messages, coalesce(sum(m.token_count), 0) AS tokens, coalesce(sum(m.size_bytes), 0) AS bytes
    FROM json_each(?2) j LEFT JOIN conversations c ON c.user_id = ?1 AND c.id = j.value->>'id'
    LEFT JOIN messages m ON c.status <> j.value->>'status' AND m.user_id = ?1 AND m.conversation = c.id
    WHERE c.version IS j.value->>'expected' GROUP BY j.key) n WHERE true
  ON CONFLICT (user_id) DO UPDATE SET conversations = conversations + excluded.conversations,
    conversations_trashed = conversations_trashed + excluded.conversations_trashed, messages = messages + excluded.messages,
    message_tokens = message_tokens + excluded.message_tokens, bytes = bytes + excluded.bytes, changes = changes + 1`;
const SQL_KEEP_CONVERSATIONS = `INSERT INTO conversation_versions (user_id, id, replaced_op, replaced_at, ${CONVERSATION_SHARED.names})
  SELECT ?1, c.id, ?2, ?3, ${prefixed("c", CONVERSATION_SHARED.names)}
  FROM json_each(?4) j CROSS JOIN conversations c ON c.user_id = ?1 AND c.id = j.value->>'id' AND c.version = j.value->>'expected'
  WHERE true ON CONFLICT DO NOTHING`;
const SQL_BETWEEN_CONVERSATIONS = `INSERT INTO conversation_versions (user_id, ${CONVERSATION_VERSION.names}) SELECT ?1, ${CONVERSATION_VERSION.fromJson}
  FROM json_each(?2) j WHERE ${CONVERSATION_AS_SEEN} ON CONFLICT DO NOTHING`;
const SQL_CONVERSATIONS = `INSERT INTO conversations (user_id, message_count, ${CONVERSATION.names})
  SELECT ?1, 0, ${CONVERSATION.fromJson} FROM json_each(?2) j WHERE ${CONVERSATION_AS_SEEN}
  ON CONFLICT (user_id, id) DO UPDATE SET ${CONVERSATION_CHANGED.excluded}`;

// What follows is of conversations that this operation has brought to the version given as `at`: in this batch, or in one before.
const IN_HAND = `conversations c ON c.user_id = ?1 AND c.id = j.value->>'conversation' AND c.version = j.value->>'at' AND c.changed_op = ?2`;
const SQL_COUNT_MESSAGES = `UPDATE operations SET counts = json_set(counts, '$.messages', coalesce(counts->>'$.messages', 0)
  + (SELECT count(*) FROM json_each(?4) j CROSS JOIN ${IN_HAND} LEFT JOIN messages m ON m.user_id = ?1 AND m.origin_key = j.value->>'originKey'
    WHERE m.seq IS NULL OR m.version < j.value->>'version')) WHERE user_id = ?1 AND id = ?2`;
const SQL_MESSAGE_SUMS = `UPDATE accounts SET messages = accounts.messages + n.messages, message_tokens = message_tokens + n.tokens, bytes = accounts.bytes + n.bytes
  FROM (SELECT coalesce(sum(m.seq IS NULL OR m.conversation <> c.id), 0) AS messages,
    coalesce(sum((j.value->>'tokenCount') - iif(m.conversation = c.id, m.token_count, 0)), 0) AS tokens,
    coalesce(sum((j.value->>'sizeBytes') - iif(m.conversation = c.id, m.size_bytes, 0)), 0) AS bytes
    FROM json_each(?3) j CROSS JOIN ${IN_HAND} AND c.status = 'active' LEFT JOIN messages m ON m.user_id = ?1 AND m.origin_key = j.value->>'originKey'
    WHERE m.seq IS NULL OR m.version < j.value->>'version') n WHERE accounts.user_id = ?1`;
const SQL_KEEP_MESSAGES = `INSERT INTO message_versions (user_id, conversation, id, replaced_op, replaced_at, ${MESSAGE_SHARED.names})
  SELECT ?1, m.conversation, m.id, ?2, ?3, ${prefixed("m", MESSAGE_SHARED.names)} FROM json_each(?4) j CROSS JOIN ${IN_HAND}
  CROSS JOIN messages m ON m.user_id = ?1 AND m.origin_key = j.value->>'originKey' AND m.version < j.value->>'version'
  WHERE true ON CONFLICT DO NOTHING`;
const SQL_MESSAGES = `INSERT INTO messages (user_id, ${MESSAGE.names}) SELECT ?1, ${MESSAGE.fromJson} FROM json_each(?3) j CROSS JOIN ${IN_HAND}
  WHERE true ON CONFLICT (user_id, origin_key) DO UPDATE SET ${MESSAGE_CHANGED.excluded} WHERE messages.version < excluded.version`;
const SQL_MESSAGE_VERSIONS = `INSERT INTO message_versions (user_id, ${MESSAGE_VERSION.names}) SELECT ?1, ${MESSAGE_VERSION.fromJson}
  FROM json_each(?3) j CROSS JOIN ${IN_HAND} WHERE true ON CONFLICT DO NOTHING`;
const NAMED = `json_each(?3) j CROSS JOIN ${IN_HAND} CROSS JOIN messages m ON m.user_id = ?1 AND m.conversation = c.id AND m.id = j.value->>'id'`;
/** Taken out as an undo takes them out: nothing finds them there but the same file. */
const SQL_REMOVED_SUMS = `UPDATE accounts SET messages = accounts.messages - n.messages, message_tokens = message_tokens - n.tokens, bytes = accounts.bytes - n.bytes
  FROM (SELECT count(*) AS messages, coalesce(sum(m.token_count), 0) AS tokens, coalesce(sum(m.size_bytes), 0) AS bytes FROM ${NAMED}
    WHERE c.status = 'active') n WHERE accounts.user_id = ?1`;
const SQL_KEEP_REMOVED = `INSERT INTO message_versions (user_id, conversation, id, replaced_op, replaced_at, ${MESSAGE_SHARED.names})
  SELECT ?1, m.conversation, m.id, ?2, ?4, ${prefixed("m", MESSAGE_SHARED.names)} FROM ${NAMED} WHERE true ON CONFLICT DO NOTHING`;
const SQL_UNINDEX_REMOVED = `DELETE FROM messages_fts WHERE rowid IN (SELECT m.seq FROM ${NAMED})`;
const SQL_REMOVE = `UPDATE messages SET conversation = '${REMOVED_FROM}' || conversation, version = version + 1, changed_op = ?2
  WHERE seq IN (SELECT m.seq FROM ${NAMED})`;
const SQL_MOVE = `WITH places AS MATERIALIZED (SELECT m.seq, j.value->>'position' AS place FROM ${NAMED})
  UPDATE messages SET position = places.place FROM places WHERE messages.seq IN (SELECT seq FROM places) AND messages.seq = places.seq`;
const SQL_REINDEX = `${INDEX_MESSAGES} FROM messages m WHERE m.seq IN (SELECT n.seq FROM json_each(?3) j CROSS JOIN ${IN_HAND}
  CROSS JOIN messages n ON n.user_id = ?1 AND n.conversation = c.id
  AND n.position BETWEEN j.value->>'place' - ${CONTEXT_TURNS} AND j.value->>'place' + ${CONTEXT_TURNS})`;
/** An import that met an earlier part of it may have found that one whole. */
const SQL_MESSAGE_COUNT = `UPDATE conversations SET digest = NULL, message_count = (SELECT count(*) FROM messages m WHERE m.user_id = ?1 AND m.conversation = conversations.id)
  WHERE user_id = ?1 AND changed_op = ?2 AND id IN (SELECT value FROM json_each(?3))`;
const SQL_WRITTEN_CONVERSATIONS = `SELECT c.id, c.version FROM json_each(?3) j CROSS JOIN conversations c ON c.user_id = ?1 AND c.id = j.value AND c.changed_op = ?2`;
const SQL_MET_ORIGINS = `SELECT c.origin_key AS originKey, c.id FROM json_each(?2) j CROSS JOIN conversations c ON c.user_id = ?1 AND c.origin_key = j.value`;
const MET_MESSAGE = `m.id, m.conversation, m.origin_key AS originKey, m.position, m.version, m.created_op AS createdOp, m.changed_op AS changedOp`;
const SQL_MET_MESSAGES = `SELECT ${MET_MESSAGE} FROM json_each(?2) j CROSS JOIN messages m ON m.user_id = ?1 AND m.origin_key = j.value`;
const SQL_MESSAGES_THERE = `SELECT ${MET_MESSAGE} FROM json_each(?2) j CROSS JOIN messages m ON m.user_id = ?1 AND m.conversation = j.value ORDER BY m.conversation, m.position, m.seq`;

export type SyncedConversationStore = ReturnType<typeof openSyncedConversations>;

export function openSyncedConversations(d1: D1Database, userId: string) {
  const db = drizzle(d1);

  return {
    /** In no particular order. */
    async met(ids: readonly string[]): Promise<ConversationRow[]> {
      return db
        .select({
          ...getTableColumns(conversations),
          body: sql<string>`hex(${conversations.body})`,
        })
        .from(sql`json_each(${JSON.stringify(ids)}) j`)
        .crossJoin(conversations)
        .where(and(eq(conversations.userId, userId), sql`${conversations.id} = j.value`));
    },

    /** Which conversations have these keys of origin. */
    async metOrigins(originKeys: readonly string[]): Promise<Map<string, string>> {
      const { results } = await d1
        .prepare(SQL_MET_ORIGINS)
        .bind(userId, JSON.stringify(originKeys))
        .run<{ originKey: string; id: string }>();
      return new Map(results.map(({ originKey, id }) => [originKey, id]));
    },

    /** Messages of these keys, wherever they stand, and all that stand in these conversations, in order. One round trip. */
    async metMessages(
      originKeys: readonly string[],
      conversationIds: readonly string[],
    ): Promise<{ readonly met: MetMessage[]; readonly there: MetMessage[] }> {
      const [met, there] = await d1.batch([
        d1.prepare(SQL_MET_MESSAGES).bind(userId, JSON.stringify(originKeys)),
        d1.prepare(SQL_MESSAGES_THERE).bind(userId, JSON.stringify(conversationIds)),
      ]);
      // Both true because these are the columns of the statements.
      return {
        met: (met?.results ?? []) as MetMessage[],
        there: (there?.results ?? []) as MetMessage[],
      };
    },

    /** @returns versions by id of those that this operation wrote, now or before */
    async write(
      units: readonly ConversationUnitRows[],
      operation: OperationInput,
    ): Promise<Map<string, number>> {
      const { id: op, now } = operation;
      // Of a long conversation this may be a later part, for which the row has changed already.
      const fresh = units
        .map(({ row }) => row)
        .filter(({ expected, version }) => expected !== version);
      const seen = fresh.map(({ id, expected, status }) => ({ id, expected, status }));
      const between = units.flatMap(({ row: { expected }, between: states }) =>
        states.map((state) => ({ ...state, expected })),
      );
      const inHand = <T extends object>(of: (unit: ConversationUnitRows) => readonly T[]) =>
        units.flatMap((unit) =>
          of(unit).map((item) => ({
            ...item,
            conversation: unit.row.id,
            at: unit.row.version,
          })),
        );
      const said = inHand(({ messages: rows }) => rows);
      const keys = said.map(({ conversation, at, originKey, version, tokenCount, sizeBytes }) => ({
        conversation,
        at,
        originKey,
        version,
        tokenCount,
        sizeBytes,
      }));
      const earlier = inHand(({ messageVersions: rows }) => rows);
      const removed = inHand(({ removed: gone }) => gone.map((id) => ({ id })));
      const moved = inHand((unit) => unit.moved);
      const places = inHand((unit) => unit.places.map((place) => ({ place })));
      const withOp = (statement: string) => (part: string) =>
        d1.prepare(statement).bind(userId, op, part);
      const withTime = (statement: string) => (part: string) =>
        d1.prepare(statement).bind(userId, op, now, part);
      const withRows = (statement: string) => (part: string) =>
        d1.prepare(statement).bind(userId, part);
      const ids = JSON.stringify(units.map(({ row: { id } }) => id));
      const { conversation, message, version } = ROWS_WRITTEN;
      const results = await runBatch(d1, [
        operationStatement(d1, userId, operation),
        ...each(seen, [
          withTime(SQL_COUNT_CONVERSATIONS),
          withRows(SQL_CONVERSATION_SUMS),
          withTime(SQL_KEEP_CONVERSATIONS),
        ]),
        ...each(between, [withRows(SQL_BETWEEN_CONVERSATIONS)]),
        // What an import said of one as a whole is true no more.
        ...each(
          fresh.map((row) => ({ ...row, digest: null })),
          [withRows(SQL_CONVERSATIONS)],
        ),
        ...each(removed, [
          withOp(SQL_REMOVED_SUMS),
          (part) => d1.prepare(SQL_KEEP_REMOVED).bind(userId, op, part, now),
          withOp(SQL_UNINDEX_REMOVED),
          withOp(SQL_REMOVE),
        ]),
        ...each(keys, [
          withTime(SQL_COUNT_MESSAGES),
          withOp(SQL_MESSAGE_SUMS),
          withTime(SQL_KEEP_MESSAGES),
        ]),
        ...each(said, [withOp(SQL_MESSAGES)]),
        ...each(earlier, [withOp(SQL_MESSAGE_VERSIONS)]),
        ...each(moved, [withOp(SQL_MOVE)]),
        ...each(places, [withOp(SQL_REINDEX)]),
        d1.prepare(SQL_MESSAGE_COUNT).bind(userId, op, ids),
        spendStatement(
          d1,
          now,
          // Each is written again for its count of messages.
          (conversation + 1) * units.length +
            message * said.length +
            version * (fresh.length + between.length + earlier.length) +
            2 * (moved.length + removed.length) +
            places.length,
        ),
        d1.prepare(SQL_WRITTEN_CONVERSATIONS).bind(userId, op, ids),
      ]);
      return writtenIn(results);
    },
  };
}
