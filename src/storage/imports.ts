/**
 * Writing imported rows. A batch is one atomic `DB.batch`: rows, index entries, counters, operation and the job's own row, whose number it
 * advances; so a batch that ran already is recognised and counts nothing twice, and an import goes on after the last one that is true.
 * Many rows travel as one JSON parameter; `CROSS JOIN` keeps SQLite from walking the user's rows instead.
 */
import { and, between, eq, getTableColumns, isNotNull, sql, type SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { drizzle } from "drizzle-orm/d1";
import { TOKENIZER_VERSION } from "../search/tokenize.ts";
import { packed, runBatch } from "./batch.ts";
import { columnLists, prefixed, valuesOf } from "./columns.ts";
import { isRemoved, REMOVED_FROM, type ConversationRow, type MessageRow } from "./conversations.ts";
import type { OperationInput, SealedLabel, SealedMemory } from "./memories.ts";
import { CONTEXT_TURNS } from "./message-index.ts";
import { dayOf } from "./plan.ts";
import { MEMORY_COUNT } from "./room.ts";
import { accounts, conversations, importDays, memories, messages } from "./schema.ts";

export type SealedConversation = Omit<ConversationRow, "userId" | "messageCount" | "digest">;

/** `conversation` is taken from the conversation's `originKey` when it is written: a parallel import may have made it first. */
export type SealedMessage = Omit<MessageRow, "seq" | "userId" | "conversation"> & {
  readonly conversationKey: string;
};

export interface ImportedLabels {
  readonly memoryId: string;
  readonly labels: readonly SealedLabel[];
}

/** `messageCount` and `digest` are those of one that the batch makes; of others `ImportedState` tells them. */
export type ImportedConversationRow = SealedConversation &
  Pick<ConversationRow, "messageCount" | "digest">;

/** A conversation as it stands when the batch is written. */
export interface ImportedState {
  readonly originKey: string;
  /** By this batch, so that its row says all of this already. */
  readonly isMade: boolean;
  readonly version: number;
  readonly changedOp: string;
  /** Null: something was left out, or more of it is to come. */
  readonly digest: string | null;
  /** Keys of its messages in the batch, and the latest of their times; 0 where none has one. */
  readonly messages: readonly string[];
  readonly latest: number;
}

/** The rows of a batch. */
export interface ImportRows {
  /** New ones at version 1; changed ones at the version after the one that was read. */
  readonly conversations: readonly ImportedConversationRow[];
  /** Of each conversation that is written, gets or moves messages, or whose digest is another one now. */
  readonly states: readonly ImportedState[];
  readonly messages: readonly SealedMessage[];
  /** Messages whose text stayed and whose place moved. */
  readonly moves: readonly { readonly originKey: string; readonly position: number }[];
  /** Keys of the messages whose index entry must be made again: changed ones and the neighbours that hold their words as context. */
  readonly reindex: readonly string[];
  readonly memories: readonly SealedMemory[];
  readonly labels: readonly ImportedLabels[];
  /** Differences that changed messages make to the account's sums. */
  readonly changedTokens: number;
  readonly changedBytes: number;
}

export interface ImportBatch extends ImportRows {
  readonly jobId: string;
  /** 1 for the first. */
  readonly number: number;
  /** The last of those that it stands for, mostly itself. */
  readonly through: number;
  /** How many memories the account may hold. */
  readonly maxMemories: number;
  /** What the operation has done by the end of this batch, by kind of item; null while it has done nothing. */
  readonly counts: Readonly<Record<string, number>> | null;
  /** The job's report by the end of this batch, sealed, in hex. */
  readonly report: string;
}

export interface WrittenMemories {
  readonly written: number;
  readonly known: number;
}

/** What is asked about a conversation. */
export interface AskedConversation {
  readonly originKey: string;
  /** Keys of the messages that a part of it is compared with; null: all messages are wanted. */
  readonly messages: readonly string[] | null;
}

export interface KnownConversation {
  readonly id: string;
  readonly originKey: string;
  readonly hash: string;
  readonly digest: string | null;
  readonly messageCount: number;
  readonly version: number;
  readonly status: ConversationRow["status"];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly createdOp: string;
  readonly changedOp: string;
  /** And not by a person or an assistant. */
  readonly isTrashedByUndo: boolean;
}

export interface KnownMessage {
  readonly conversation: string;
  readonly id: string;
  readonly originKey: string;
  readonly hash: string;
  readonly position: number;
  readonly version: number;
  readonly tokenCount: number;
  readonly sizeBytes: number;
  readonly createdOp: string;
  readonly changedOp: string;
}

export interface KnownMemory {
  readonly id: string;
  readonly version: number;
  readonly originKey: string | null;
  readonly fingerprint: string;
  readonly status: SealedMemory["status"];
  readonly createdOp: string;
  /** And not by a person or an assistant. */
  readonly isTrashedByUndo: boolean;
  readonly expiresAt: number | null;
  readonly supersededBy: string | null;
}

const CONVERSATION = columnLists(conversations, ["userId"], "j.value");
const CONVERSATION_VERSION = columnLists(conversations, ["userId", "id", "messageCount"]);
const MESSAGE = columnLists(messages, ["seq", "userId", "conversation"], "j.value");
const MESSAGE_VERSION = columnLists(messages, ["seq", "userId", "conversation", "id", "originKey"]);
const MEMORY = columnLists(memories, ["seq", "userId"], "j.value");

/** ?2 operation, ?3 time, ?4 rows */
const SQL_CONVERSATION_VERSIONS = `INSERT INTO conversation_versions (user_id, id, replaced_op, replaced_at, ${CONVERSATION_VERSION.names})
  SELECT c.user_id, c.id, ?2, ?3, ${prefixed("c", CONVERSATION_VERSION.names)}
  FROM json_each(?4) j CROSS JOIN conversations c ON c.user_id = ?1 AND c.origin_key = j.value->>'originKey'
  WHERE c.version = j.value->>'version' - 1 ON CONFLICT DO NOTHING`;
const SQL_CONVERSATIONS = `INSERT INTO conversations (user_id, ${CONVERSATION.names})
  SELECT ?1, ${CONVERSATION.fromJson} FROM json_each(?2) j WHERE true
  ON CONFLICT (user_id, origin_key) DO UPDATE SET version = excluded.version, body_version = excluded.body_version, hash = excluded.hash,
    digest = NULL, updated_at = excluded.updated_at, changed_op = excluded.changed_op, key_version = excluded.key_version, body = excluded.body
  WHERE conversations.version = excluded.version - 1`;
/** ?3 keys of conversations, ?4 moves. Those that get or move messages and are not written themselves: a new version of theirs tells of it. */
const GETTING_MESSAGES = `c.changed_op <> ?2 AND c.rowid IN (
  SELECT k.rowid FROM json_each(?3) j CROSS JOIN conversations k ON k.user_id = ?1 AND k.origin_key = j.value
  UNION SELECT k.rowid FROM json_each(?4) j CROSS JOIN messages m ON m.user_id = ?1 AND m.origin_key = j.value->>'originKey'
    CROSS JOIN conversations k ON k.user_id = ?1 AND k.id = m.conversation)`;
const SQL_GETTING_VERSIONS = `INSERT INTO conversation_versions (user_id, id, replaced_op, replaced_at, ${CONVERSATION_VERSION.names})
  SELECT c.user_id, c.id, ?2, ?5, ${prefixed("c", CONVERSATION_VERSION.names)} FROM conversations c WHERE ${GETTING_MESSAGES} ON CONFLICT DO NOTHING`;
const SQL_GETTING = `UPDATE conversations AS c SET version = version + 1, changed_op = ?2, digest = NULL WHERE ${GETTING_MESSAGES}`;
const SQL_MESSAGE_VERSIONS = `INSERT INTO message_versions (user_id, conversation, id, replaced_op, replaced_at, ${MESSAGE_VERSION.names})
  SELECT m.user_id, m.conversation, m.id, ?2, ?3, ${prefixed("m", MESSAGE_VERSION.names)}
  FROM json_each(?4) j CROSS JOIN messages m ON m.user_id = ?1 AND m.origin_key = j.value->>'originKey'
  WHERE m.version = j.value->>'version' - 1 ON CONFLICT DO NOTHING`;
/** ?2 rows as lists, the key of the conversation last. Materialised, because SQLite would make the text of a row anew for each value that is taken of it. */
const SQL_MESSAGES = `WITH j AS MATERIALIZED (SELECT value FROM json_each(?2))
  INSERT INTO messages (user_id, conversation, ${MESSAGE.names}) SELECT ?1, c.id, ${MESSAGE.fromList} FROM j
  CROSS JOIN conversations c ON c.user_id = ?1 AND c.origin_key = j.value->>${MESSAGE.keys.length} WHERE true
  ON CONFLICT (user_id, origin_key) DO UPDATE SET conversation = excluded.conversation, version = excluded.version, body_version = excluded.body_version, position = excluded.position,
    role = excluded.role, hash = excluded.hash, created_at = excluded.created_at, changed_op = excluded.changed_op,
    size_bytes = excluded.size_bytes, token_count = excluded.token_count, tokenizer_version = excluded.tokenizer_version,
    key_version = excluded.key_version, tokens = excluded.tokens, dt = excluded.dt, speaker = excluded.speaker, body = excluded.body
  WHERE messages.version = excluded.version - 1`;
const SQL_MOVE = `UPDATE messages SET position = j.value->>'position' FROM json_each(?2) j
  WHERE messages.user_id = ?1 AND messages.origin_key = j.value->>'originKey'`;
/** Index entries of messages `m`, with their neighbours' words as context. */
export const INDEX_MESSAGES = `INSERT OR REPLACE INTO messages_fts (rowid, text, dt, ctx)
  SELECT m.seq, m.tokens, m.dt, (SELECT group_concat(n.tokens, ' ') FROM messages n WHERE n.user_id = m.user_id AND n.conversation = m.conversation
    AND n.position BETWEEN m.position - ${CONTEXT_TURNS} AND m.position + ${CONTEXT_TURNS} AND n.position <> m.position)`;
/** What an undo took out of its conversation is found by nothing, whoever asks for its entry. */
export const SQL_REINDEX = `${INDEX_MESSAGES} FROM json_each(?2) j CROSS JOIN messages m ON m.user_id = ?1 AND m.origin_key = j.value
  WHERE NOT ${isRemoved("m")}`;
/** ?3 how many the account may hold, ?4 how many of this batch stand in earlier parameters: the account counts them at the end */
const SQL_MEMORIES = `INSERT INTO memories (user_id, ${MEMORY.names})
  SELECT ?1, ${MEMORY.fromJson} FROM json_each(?2) j WHERE j.key + ?4 < ?3 - ${MEMORY_COUNT} ON CONFLICT DO NOTHING`;
/** ?3 what tells them from others. `known`: not written, because one that is there is the same by text or by origin. */
const SQL_WRITTEN_MEMORIES = `SELECT count(*) FILTER (WHERE w.written) AS written, count(*) FILTER (WHERE NOT w.written AND w.known) AS known FROM (
  SELECT EXISTS (SELECT 1 FROM memories m WHERE m.user_id = ?1 AND m.id = j.value->>'id' AND m.created_op = ?2) AS written,
    EXISTS (SELECT 1 FROM memories m WHERE m.user_id = ?1 AND m.fingerprint = j.value->>'fingerprint' AND m.status IN ('active', 'pending') AND m.superseded_by IS NULL)
      OR EXISTS (SELECT 1 FROM memories m WHERE m.user_id = ?1 AND m.origin_key = j.value->>'originKey') AS known FROM json_each(?3) j) w`;
const SQL_INDEX_MEMORIES = `INSERT OR REPLACE INTO memories_fts (rowid, text, dt, ctx)
  SELECT m.seq, m.tokens, m.dt, '' FROM json_each(?3) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value
  WHERE m.created_op = ?2 AND m.status = 'active'`;
const SQL_NAME_LABELS = `INSERT INTO labels (user_id, label, kind, key_version, created_at, body)
  SELECT ?1, l.value->>'label', l.value->>'kind', l.value->>'keyVersion', ?2, unhex(l.value->>'body')
  FROM json_each(?3) j CROSS JOIN json_each(j.value->'labels') l WHERE true ON CONFLICT DO NOTHING`;
const SQL_LABEL_MEMORIES = `INSERT INTO memory_labels (user_id, label, seq)
  SELECT ?1, l.value->>'label', m.seq FROM json_each(?3) j CROSS JOIN json_each(j.value->'labels') l
  CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'memoryId' WHERE m.created_op = ?2 ON CONFLICT DO NOTHING`;
/** ?2 operation. Messages that an undo had taken out. */
const CAME_BACK = `EXISTS (SELECT 1 FROM message_versions v WHERE v.user_id = ?1 AND v.conversation = '${REMOVED_FROM}' || m.conversation AND v.id = m.id
  AND v.version = m.version - 1 AND v.replaced_op = ?2)`;
/** ?2 operation. Messages `m` that the operation has put into their conversations. */
const CAME = `((m.created_op = ?2 AND m.version = 1) OR ${CAME_BACK})`;
/** ?3 job, ?4 number. Each batch counts once. */
const NOT_YET_WRITTEN =
  "EXISTS (SELECT 1 FROM jobs b WHERE b.user_id = ?1 AND b.id = ?3 AND coalesce(b.cursor, 0) = ?4 - 1)";
/** ?5 states. A conversation that is not as it was expected to be has met somebody else's change. */
const SQL_STATES = `WITH items AS MATERIALIZED (SELECT c.rowid AS place, j.value AS state FROM json_each(?5) j
    CROSS JOIN conversations c ON c.user_id = ?1 AND c.origin_key = j.value->>'originKey'
    WHERE ${NOT_YET_WRITTEN} AND NOT (j.value->>'isMade' AND c.created_op = ?2))
  UPDATE conversations SET digest = iif(version = state->>'version' AND changed_op = state->>'changedOp', state->>'digest', NULL),
    message_count = message_count + (SELECT count(*) FROM json_each(state->'messages') k
      CROSS JOIN messages m ON m.user_id = ?1 AND m.origin_key = k.value AND m.conversation = conversations.id WHERE ${CAME}),
    updated_at = max(updated_at, state->>'latest')
  FROM items WHERE conversations.rowid IN (SELECT place FROM items) AND conversations.rowid = items.place`;
/** ?2 operation, ?3 job, ?4 number, ?5 conversation keys, ?6 message keys, ?7 memory ids, ?8 and ?9 differences */
const SQL_COUNT = `INSERT INTO accounts (user_id, memory_tokenizer, message_tokenizer, memories_active, memories_pending, memory_tokens, conversations, messages, message_tokens, bytes)
  SELECT ?1, ${TOKENIZER_VERSION}, ${TOKENIZER_VERSION}, mem.active, mem.pending, mem.tokens, con.n, msg.n, msg.tokens + ?8, mem.bytes + msg.bytes + ?9 FROM
  (SELECT count(*) n FROM json_each(?5) j CROSS JOIN conversations c ON c.user_id = ?1 AND c.origin_key = j.value WHERE c.created_op = ?2) con,
  (SELECT count(*) n, coalesce(sum(m.token_count), 0) tokens, coalesce(sum(m.size_bytes), 0) bytes
    FROM json_each(?6) j CROSS JOIN messages m ON m.user_id = ?1 AND m.origin_key = j.value WHERE ${CAME}) msg,
  (SELECT coalesce(sum(m.status = 'active'), 0) active, coalesce(sum(m.status = 'pending'), 0) pending,
    coalesce(sum(iif(m.status = 'active', m.token_count, 0)), 0) tokens, coalesce(sum(m.size_bytes), 0) bytes
    FROM json_each(?7) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value WHERE m.created_op = ?2) mem
  WHERE ${NOT_YET_WRITTEN} ON CONFLICT (user_id) DO UPDATE SET memories_active = memories_active + excluded.memories_active,
    memories_pending = memories_pending + excluded.memories_pending, memory_tokens = memory_tokens + excluded.memory_tokens,
    conversations = conversations + excluded.conversations, messages = messages + excluded.messages,
    message_tokens = message_tokens + excluded.message_tokens, bytes = bytes + excluded.bytes, changes = changes + 1`;
const SQL_OPERATION = `INSERT INTO operations (user_id, id, kind, grant_id, client, created_at, counts, undoes_op, subject)
  VALUES (?1, ?2, 'import', ?3, ?4, ?5, ?6, NULL, NULL) ON CONFLICT (user_id, id) DO UPDATE SET counts = excluded.counts`;
/** ?2 job, ?3 number, ?4 day, ?5 rows. Stands before the statement that advances the job. */
export const SQL_SPEND = `INSERT INTO import_days (day, rows_written) SELECT ?4, ?5
  WHERE EXISTS (SELECT 1 FROM jobs b WHERE b.user_id = ?1 AND b.id = ?2 AND coalesce(b.cursor, 0) = ?3 - 1)
  ON CONFLICT (day) DO UPDATE SET rows_written = rows_written + excluded.rows_written`;
/** ?7 the last number that the batch stands for */
const SQL_ADVANCE = `UPDATE jobs SET cursor = ?7, state = 'running', updated_at = ?4, counts = ?5, body = unhex(?6)
  WHERE user_id = ?1 AND id = ?2 AND coalesce(cursor, 0) = ?3 - 1`;

/**
 * Rows that D1 counts for one, indexes included, as its local meter counts them (test/transfer/rows-written.test.ts). A message is its row,
 * two index entries and one of full text; a conversation its row and four, and where it was there already its earlier state and what it
 * is now. `version`: what a changed one costs besides.
 */
export const ROWS_WRITTEN = {
  message: 4,
  conversation: 5,
  memory: 7,
  version: 3,
  batch: 6,
} as const;

const KNOWN_CONVERSATION = {
  id: conversations.id,
  originKey: conversations.originKey,
  hash: conversations.hash,
  digest: conversations.digest,
  messageCount: conversations.messageCount,
  version: conversations.version,
  status: conversations.status,
  createdAt: conversations.createdAt,
  updatedAt: conversations.updatedAt,
  createdOp: conversations.createdOp,
  changedOp: conversations.changedOp,
  isTrashedByUndo: trashedByUndo(conversations.userId, conversations.trashedOp),
};
const KNOWN_MESSAGE = {
  conversation: messages.conversation,
  id: messages.id,
  originKey: messages.originKey,
  hash: messages.hash,
  position: messages.position,
  version: messages.version,
  tokenCount: messages.tokenCount,
  sizeBytes: messages.sizeBytes,
  createdOp: messages.createdOp,
  changedOp: messages.changedOp,
};

export interface KnownDigest {
  readonly originKey: string;
  readonly digest: string | null;
  readonly changedOp: string;
}

export type ImportStore = ReturnType<typeof openImports>;

export function openImports(d1: D1Database, userId: string) {
  const db = drizzle(d1);

  /** The number of the first or last message of a conversation. */
  const edgeOf = (originKey: string, order: "ASC" | "DESC") =>
    sql`SELECT m.seq FROM conversations c CROSS JOIN messages m ON m.user_id = c.user_id AND m.conversation = c.id
      WHERE c.user_id = ${userId} AND c.origin_key = ${originKey} ORDER BY m.position ${sql.raw(order)} LIMIT 1`;

  return {
    /**
     * What is stored already under these keys or, for Cofio's own exports, ids; with all messages of those conversations, and those that
     * an undo took out of them. Of conversations that come in parts only the messages asked for, the first and the last, because reading
     * all of them with each part would take the square of their number.
     */
    async known(
      asked: readonly AskedConversation[],
      ids: readonly string[],
    ): Promise<{ conversations: KnownConversation[]; messages: KnownMessage[] }> {
      const keysOf = (some: readonly AskedConversation[]) =>
        JSON.stringify(some.map(({ originKey }) => originKey));
      const isOneOf = (keys: string) =>
        sql`${conversations.userId} = ${userId} AND (${conversations.originKey} IN (SELECT value FROM json_each(${keys}))
        OR ${conversations.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)})))`;
      const parts = asked.filter(({ messages: some }) => some !== null);
      const isWhole = isOneOf(keysOf(asked.filter(({ messages: some }) => some === null)));
      const [foundConversations, ofWhole, ...ofParts] = await db.batch([
        db
          .select(KNOWN_CONVERSATION)
          .from(conversations)
          .where(isOneOf(keysOf(asked))),
        db
          .select(KNOWN_MESSAGE)
          .from(messages)
          .where(
            and(
              eq(messages.userId, userId),
              sql`${messages.conversation} IN (SELECT ${conversations.id} FROM ${conversations} WHERE ${isWhole}
                UNION ALL SELECT ${REMOVED_FROM} || ${conversations.id} FROM ${conversations} WHERE ${isWhole})`,
            ),
          )
          .orderBy(messages.conversation, messages.position),
        ...parts.map(({ originKey, messages: some }) =>
          db
            .select(KNOWN_MESSAGE)
            .from(messages)
            .where(
              sql`${messages.seq} IN (
                SELECT m.seq FROM json_each(${JSON.stringify(some)}) j CROSS JOIN messages m ON m.user_id = ${userId} AND m.origin_key = j.value
                UNION ALL SELECT * FROM (${edgeOf(originKey, "ASC")}) UNION ALL SELECT * FROM (${edgeOf(originKey, "DESC")}))`,
            )
            .orderBy(messages.conversation, messages.position),
        ),
      ]);
      return { conversations: foundConversations, messages: [...ofWhole, ...ofParts.flat()] };
    },

    /** Messages of a conversation from one position to another, in order. */
    async messagesBetween(conversation: string, from: number, to: number): Promise<KnownMessage[]> {
      return db
        .select(KNOWN_MESSAGE)
        .from(messages)
        .where(
          and(
            eq(messages.userId, userId),
            eq(messages.conversation, conversation),
            between(messages.position, from, to),
          ),
        )
        .orderBy(messages.position);
    },

    /** Of active conversations under these keys, by key. @returns only those that have a digest */
    async digests(originKeys: readonly string[]): Promise<Map<string, KnownDigest>> {
      const { originKey, digest, changedOp } = getTableColumns(conversations);
      const rows = await db
        .select({ originKey, digest, changedOp })
        .from(sql`json_each(${JSON.stringify(originKeys)}) j`)
        .crossJoin(conversations)
        .where(
          and(
            eq(conversations.userId, userId),
            sql`${originKey} = j.value`,
            eq(conversations.status, "active"),
            isNotNull(digest),
          ),
        );
      return new Map(rows.map((row) => [row.originKey, row]));
    },

    /** Memories stored already under these keys, ids or texts; living ones by text, trashed ones by key or id only. */
    async knownMemories(
      originKeys: readonly string[],
      ids: readonly string[],
      fingerprints: readonly string[],
    ): Promise<KnownMemory[]> {
      const { id, version, originKey, fingerprint, status, createdOp, expiresAt, supersededBy } =
        getTableColumns(memories);
      // A redacted one has nothing to come back with.
      const isTrashedByUndo =
        sql<boolean>`${trashedByUndo(memories.userId, memories.trashedOp)} AND ${memories.dt} <> ''`.mapWith(
          Boolean,
        );
      const columns = {
        id,
        version,
        originKey,
        fingerprint,
        status,
        createdOp,
        isTrashedByUndo,
        expiresAt,
        supersededBy,
      };
      const mine = eq(memories.userId, userId);
      const results = await db.batch([
        db
          .select(columns)
          .from(memories)
          .where(
            and(
              mine,
              sql`${originKey} IN (SELECT value FROM json_each(${JSON.stringify(originKeys)}))`,
            ),
          ),
        db
          .select(columns)
          .from(memories)
          .where(and(mine, sql`${id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`)),
        db
          .select(columns)
          .from(memories)
          .where(
            and(
              mine,
              sql`${fingerprint} IN (SELECT value FROM json_each(${JSON.stringify(fingerprints)}))`,
              sql`${status} IN ('active', 'pending') AND ${memories.supersededBy} IS NULL`,
            ),
          ),
      ]);
      // By id, because one may be found in several ways.
      return [...new Map(results.flat().map((row) => [row.id, row])).values()];
    },

    /**
     * Writes one batch.
     * @returns how many of its memories were written, and how many of the others parallel saves have made; the rest had no room
     */
    async write(batch: ImportBatch, operation: OperationInput): Promise<WrittenMemories> {
      const { id: op, grantId, client, now } = operation;
      const { jobId, number, through, counts } = batch;
      const bind = (statement: string, ...values: readonly (string | number)[]) =>
        d1.prepare(statement).bind(userId, ...values);
      const conversationKeys = JSON.stringify(conversationKeysOf(batch));
      // A conversation that is cut over several batches is new in the one that holds its own row.
      const newConversations = batch.conversations
        .filter(({ version }) => version === 1)
        .map(({ originKey }) => originKey);
      const memoryIds = JSON.stringify(batch.memories.map(({ id }) => id));
      const statements: D1PreparedStatement[] = [];
      if (counts !== null) {
        statements.push(bind(SQL_OPERATION, op, grantId, client, now, JSON.stringify(counts)));
      }
      for (const part of packed(batch.conversations, ({ body }) => body.length + 600)) {
        const rows = JSON.stringify(part);
        const changed = changedOf(part);
        if (changed !== null) statements.push(bind(SQL_CONVERSATION_VERSIONS, op, now, changed));
        statements.push(bind(SQL_CONVERSATIONS, rows));
      }
      if (batch.messages.length + batch.moves.length > 0) {
        const moves = JSON.stringify(batch.moves);
        statements.push(
          bind(SQL_GETTING_VERSIONS, op, conversationKeys, moves, now),
          bind(SQL_GETTING, op, conversationKeys, moves),
        );
      }
      for (const part of packed(batch.messages, charsOf)) {
        const rows = JSON.stringify(
          part.map((row) => [...valuesOf(MESSAGE, row), row.conversationKey]),
        );
        const changed = changedOf(part);
        if (changed !== null) statements.push(bind(SQL_MESSAGE_VERSIONS, op, now, changed));
        statements.push(bind(SQL_MESSAGES, rows));
      }
      if (batch.moves.length > 0) statements.push(bind(SQL_MOVE, JSON.stringify(batch.moves)));
      if (batch.reindex.length > 0) {
        statements.push(bind(SQL_REINDEX, JSON.stringify(batch.reindex)));
      }
      if (batch.states.length > 0) {
        statements.push(bind(SQL_STATES, op, jobId, number, JSON.stringify(batch.states)));
      }
      let before = 0;
      for (const part of packed(batch.memories, charsOf)) {
        statements.push(bind(SQL_MEMORIES, JSON.stringify(part), batch.maxMemories, before));
        before += part.length;
      }
      if (batch.memories.length > 0) statements.push(bind(SQL_INDEX_MEMORIES, op, memoryIds));
      if (batch.labels.length > 0) {
        const rows = JSON.stringify(batch.labels);
        statements.push(bind(SQL_NAME_LABELS, now, rows), bind(SQL_LABEL_MEMORIES, op, rows));
      }
      statements.push(
        bind(
          SQL_COUNT,
          op,
          jobId,
          number,
          JSON.stringify(newConversations),
          JSON.stringify(batch.messages.map(({ originKey }) => originKey)),
          memoryIds,
          batch.changedTokens,
          batch.changedBytes,
        ),
        bind(SQL_SPEND, jobId, number, dayOf(now), rowsWritten(batch)),
        bind(SQL_ADVANCE, jobId, number, now, JSON.stringify(counts ?? {}), batch.report, through),
        bind(
          SQL_WRITTEN_MEMORIES,
          op,
          JSON.stringify(
            batch.memories.map(({ id, fingerprint, originKey }) => ({
              id,
              fingerprint,
              originKey,
            })),
          ),
        ),
      );
      const results = await runBatch(d1, statements);
      // True because the last statement counts.
      const [counted] = (results.at(-1)?.results ?? []) as WrittenMemories[];
      return counted ?? { written: 0, known: 0 };
    },

    /** Active and pending memories by now: the account's row is as it was when the request began, before it waited for its turn. */
    async memoryCount(): Promise<number> {
      const [counted] = await db
        .select({ count: sql<number>`${accounts.memoriesActive} + ${accounts.memoriesPending}` })
        .from(accounts)
        .where(eq(accounts.userId, userId));
      return counted?.count ?? 0;
    },

    /** Rows that imports have written today, of all users of this database. @param now milliseconds UTC */
    async rowsWrittenToday(now: number): Promise<number> {
      const [today] = await db
        .select({ rows: importDays.rowsWritten })
        .from(importDays)
        .where(eq(importDays.day, dayOf(now)));
      return today?.rows ?? 0;
    },
  };
}

function charsOf({ body, tokens, dt }: SealedMessage | SealedMemory): number {
  return body.length + tokens.length + dt.length + 900;
}

/** What the statements that keep earlier states need to know; null: all of them are new. */
function changedOf(rows: readonly { originKey: string; version: number }[]): string | null {
  const changed = rows.filter(({ version }) => version > 1);
  return changed.length === 0
    ? null
    : JSON.stringify(changed.map(({ originKey, version }) => ({ originKey, version })));
}

/** Also of conversations whose own row is unchanged. */
function conversationKeysOf({ conversations: rows, messages: said }: ImportRows): string[] {
  return [
    ...new Set([
      ...rows.map(({ originKey }) => originKey),
      ...said.map(({ conversationKey }) => conversationKey),
    ]),
  ];
}

/** As far as it can be told before: never fewer than are written. */
function rowsWritten(batch: ImportRows): number {
  const { message, conversation, memory, version, batch: own } = ROWS_WRITTEN;
  const changed = batch.messages.filter((row) => row.version > 1).length;
  const labels = batch.labels.reduce((sum, { labels: of }) => sum + 2 * of.length, 0);
  return (
    own +
    conversation * conversationKeysOf(batch).length +
    batch.states.filter(({ isMade }) => !isMade).length +
    message * batch.messages.length +
    version * changed +
    batch.moves.length * 2 +
    // A neighbour's index entry is written again.
    Math.max(0, batch.reindex.length - batch.messages.length) +
    memory * batch.memories.length +
    labels
  );
}

function trashedByUndo(userId: SQLiteColumn, trashedOp: SQLiteColumn): SQL<boolean> {
  return sql`EXISTS (SELECT 1 FROM operations o WHERE o.user_id = ${userId} AND o.id = ${trashedOp} AND o.kind = 'undo')`.mapWith(
    Boolean,
  );
}
