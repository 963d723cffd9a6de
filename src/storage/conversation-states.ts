/**
 * Conversations put into the trash, or brought back to earlier states with the messages that one operation added to them or changed.
 * A conversation's row is written anew and messages only where they differ: those of a conversation in the trash stay as they are, in
 * the index too. A search drops them when it joins the conversation (`message-index.ts`); FTS5 scores as few rows as ever, because the
 * frequencies by which it is bounded count them.
 */
import { TOKENIZER_VERSION } from "../search/tokenize.ts";
import { columnLists, prefixed } from "./columns.ts";
import { REMOVED_FROM } from "./conversations.ts";
import { INDEX_MESSAGES } from "./imports.ts";
import { CONTEXT_TURNS } from "./message-index.ts";
import { conversations, messages } from "./schema.ts";

const CONVERSATION = columnLists(conversations, ["userId", "id", "messageCount"]);
const MESSAGE = columnLists(messages, ["seq", "userId", "conversation", "id", "originKey"]);

// ?1 user, ?2 this operation, ?3 time, ?4 items, ?5 the operation that is undone. Each statement takes the conversations that are still
// as they were read, and their own rows change last: a batch that is run again finds none.
const CONVERSATIONS = `json_each(?4) j CROSS JOIN conversations c ON c.user_id = ?1 AND c.id = j.value->>'id' AND c.version = j.value->>'version'`;
/** `e`: the earlier state; of what goes to the trash there is none. One whose earlier state is gone by now is left. */
const AS_READ = `${CONVERSATIONS} LEFT JOIN conversation_versions e ON e.user_id = ?1 AND e.id = c.id AND e.version = j.value->>'earlier'
  WHERE (j.value->>'earlier' IS NULL OR e.version IS NOT NULL)`;
const NEXT_STATUS = "coalesce(e.status, 'trashed')";
const SQL_KEEP = `INSERT INTO conversation_versions (user_id, id, replaced_op, replaced_at, ${CONVERSATION.names})
  SELECT ?1, c.id, ?2, ?3, ${prefixed("c", CONVERSATION.names)} FROM ${AS_READ} ON CONFLICT DO NOTHING`;
const SQL_STATES = `INSERT INTO conversations (user_id, id, message_count, ${CONVERSATION.names})
  SELECT ?1, c.id, (SELECT count(*) FROM messages m WHERE m.user_id = ?1 AND m.conversation = c.id), ${earlierOr(
    "c",
    CONVERSATION.names,
    {
      version: "c.version + 1",
      status: NEXT_STATUS,
      changed_op: "?2",
      // Whenever it goes there, the trash keeps it for its whole time.
      trashed_at: `iif(${NEXT_STATUS} = 'trashed', coalesce(c.trashed_at, ?3), NULL)`,
      trashed_op: "iif(e.version IS NULL, ?2, e.trashed_op)",
    },
  )} FROM ${AS_READ} ON CONFLICT DO UPDATE SET message_count = excluded.message_count, ${CONVERSATION.excluded}`;

/** What these conversations are to the account's sums: taken off before they change, added when their messages have changed. */
function countSql(sign: "+" | "-", status: string): string {
  return `UPDATE accounts SET conversations = conversations ${sign} n.active, conversations_trashed = conversations_trashed ${sign} n.trashed,
    messages = accounts.messages ${sign} n.messages, message_tokens = message_tokens ${sign} n.tokens, bytes = accounts.bytes ${sign} n.bytes,
    message_tokenizer = min(message_tokenizer, n.tokenizer), changes = changes + 1
  FROM (SELECT count(DISTINCT iif(s.status = 'active', s.id, NULL)) AS active, count(DISTINCT iif(s.status = 'trashed', s.id, NULL)) AS trashed,
      count(m.seq) AS messages, coalesce(sum(m.token_count), 0) AS tokens, coalesce(sum(m.size_bytes), 0) AS bytes,
      coalesce(min(m.tokenizer_version), ${TOKENIZER_VERSION}) AS tokenizer
    FROM (SELECT c.id, ${status} AS status FROM ${AS_READ}) s
    LEFT JOIN messages m ON s.status = 'active' AND m.user_id = ?1 AND m.conversation = s.id) n WHERE accounts.user_id = ?1`;
}

const PLACES = `(c.id, '${REMOVED_FROM}' || c.id)`;
const OF_MESSAGE = `user_id = ?1 AND %.conversation IN ${PLACES} AND %.id = m.id AND %.replaced_op = ?5`;
/** Messages that the operation brought or changed, with their earlier state as `e`. What it brought has none, even if it changed that again later. */
const TOUCHED = `${CONVERSATIONS} CROSS JOIN conversation_versions b ON b.user_id = ?1 AND b.id = c.id AND b.version = j.value->>'earlier'
  CROSS JOIN messages m ON m.user_id = ?1 AND m.conversation IN ${PLACES}
  LEFT JOIN message_versions e ON e.${OF_MESSAGE.replaceAll("%", "e")} AND e.created_op <> ?5
    AND NOT EXISTS (SELECT 1 FROM message_versions f WHERE f.${OF_MESSAGE.replaceAll("%", "f")} AND f.version < e.version)
  WHERE (e.version IS NOT NULL OR (m.created_op = ?5 AND m.conversation = c.id))`;
const SQL_KEEP_MESSAGES = `INSERT INTO message_versions (user_id, conversation, id, replaced_op, replaced_at, ${MESSAGE.names})
  SELECT ?1, m.conversation, m.id, ?2, ?3, ${prefixed("m", MESSAGE.names)} FROM ${TOUCHED} ON CONFLICT DO NOTHING`;
const SQL_MESSAGE_STATES = `INSERT INTO messages (user_id, conversation, id, origin_key, ${MESSAGE.names})
  SELECT ?1, coalesce(e.conversation, '${REMOVED_FROM}' || c.id), m.id, m.origin_key, ${earlierOr(
    "m",
    MESSAGE.names,
    {
      version: "m.version + 1",
      changed_op: "?2",
      // One that comes back knows its place; what stays is numbered anew below.
      position: "iif(m.conversation <> c.id AND e.conversation = c.id, e.position, m.position)",
    },
  )} FROM ${TOUCHED} ON CONFLICT (user_id, origin_key) DO UPDATE SET conversation = excluded.conversation, ${MESSAGE.excluded}`;

const CAME_BACK = `EXISTS (SELECT 1 FROM message_versions k WHERE k.user_id = ?1 AND k.conversation = '${REMOVED_FROM}' || c.id AND k.id = m.id
  AND k.version = m.version - 1 AND k.replaced_op = ?2)`;
/**
 * Messages stay in order, and an import only ever puts some between: without those the others move up, and when those come back,
 * each to its place, the others take the places that are left. `gap`: how many of the others stand before.
 */
const SQL_PLACES = `UPDATE messages SET position = n.place FROM (
    SELECT seq, row_number() OVER (PARTITION BY conversation ORDER BY gap, came_back DESC, position) - 1 AS place FROM (
      SELECT seq, conversation, came_back, position, iif(came_back, position - rank, rank) AS gap FROM (
        SELECT seq, conversation, came_back, position, row_number() OVER (PARTITION BY conversation, came_back ORDER BY position) - 1 AS rank FROM (
          SELECT m.seq, m.conversation, m.position, ${CAME_BACK} AS came_back
          FROM ${CONVERSATIONS} CROSS JOIN messages m ON m.user_id = ?1 AND m.conversation = c.id WHERE j.value->>'earlier' IS NOT NULL)))) n
  WHERE messages.seq = n.seq AND messages.position <> n.place`;

const REMOVED = `${CONVERSATIONS} CROSS JOIN messages m ON m.user_id = ?1 AND m.conversation = '${REMOVED_FROM}' || c.id AND m.changed_op = ?2`;
const SQL_UNINDEX = `DELETE FROM messages_fts WHERE rowid IN (SELECT m.seq FROM ${REMOVED})`;
/** Where messages changed, came or went; those around have other words in their context now. */
const CHANGED_PLACES = `SELECT c.id AS conversation, m.position AS place FROM ${CONVERSATIONS}
    CROSS JOIN messages m ON m.user_id = ?1 AND m.conversation = c.id AND m.changed_op = ?2
  UNION SELECT c.id, m.position - (row_number() OVER (PARTITION BY c.id ORDER BY m.position) - 1) FROM ${REMOVED}`;
const SQL_INDEX = `${INDEX_MESSAGES} FROM messages m WHERE m.seq IN (SELECT n.seq FROM (${CHANGED_PLACES}) p
  CROSS JOIN messages n ON n.user_id = ?1 AND n.conversation = p.conversation AND n.position BETWEEN p.place - ${CONTEXT_TURNS} AND p.place + ${CONTEXT_TURNS})`;

/** In order, for one batch. @param withMessages whether an operation is undone, and with it what it did to messages */
export function conversationStatements({
  withMessages,
}: {
  readonly withMessages: boolean;
}): readonly string[] {
  return [
    countSql("-", "c.status"),
    SQL_KEEP,
    ...(withMessages
      ? [SQL_KEEP_MESSAGES, SQL_MESSAGE_STATES, SQL_PLACES, SQL_UNINDEX, SQL_INDEX]
      : []),
    countSql("+", NEXT_STATUS),
    SQL_STATES,
  ];
}

/** The earlier value of each column, or where there is no earlier state the one of now. */
function earlierOr(now: string, names: string, others: Readonly<Record<string, string>>): string {
  return names
    .split(", ")
    .map((name) => others[name] ?? `iif(e.version IS NULL, ${now}.${name}, e.${name})`)
    .join(", ");
}
