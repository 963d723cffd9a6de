/**
 * Writing the rows of an archive as they were. Each batch is one atomic `DB.batch`, numbered in its job. What a row adds to the account's
 * counters is taken from the rows that are not there yet, just before they are written: so a batch that runs again counts nothing twice.
 */
import { TOKENIZER_VERSION } from "../search/tokenize.ts";
import { SQL_CHANGED } from "./accounts.ts";
import { each, runBatch } from "./batch.ts";
import { columnLists } from "./columns.ts";
import type { ConversationVersionRow, MessageVersionRow } from "./export-rows.ts";
import {
  ROWS_WRITTEN,
  SQL_REINDEX,
  SQL_SPEND,
  type ImportedLabels,
  type SealedConversation,
  type SealedMessage,
} from "./imports.ts";
import type { MemoryVersionRow, OperationInput, SealedMemory } from "./memories.ts";
import { CONTEXT_TURNS } from "./message-index.ts";
import type { OperationRow } from "./operations.ts";
import { dayOf } from "./plan.ts";
import type { StoredRules } from "./rules.ts";
import {
  conversations,
  conversationVersions,
  memories,
  memoryVersions,
  messages,
  messageVersions,
  operations,
} from "./schema.ts";

type OfUser<Row> = Omit<Row, "userId">;

export interface RestoreBatch {
  /** 1 for the first. */
  readonly number: number;
  readonly memories: readonly SealedMemory[];
  readonly labels: readonly ImportedLabels[];
  readonly memoryVersions: readonly OfUser<MemoryVersionRow>[];
  readonly conversations: readonly SealedConversation[];
  readonly conversationVersions: readonly OfUser<Omit<ConversationVersionRow, "digest">>[];
  readonly messages: readonly RestoredMessage[];
  /** Undos took them out: they are in no index and no count. */
  readonly removedMessages: readonly RestoredMessage[];
  readonly messageVersions: readonly OfUser<MessageVersionRow>[];
  readonly operations: readonly OfUser<OperationRow>[];
  readonly rules: StoredRules | null;
  /** Keys of messages that were written before and have these as neighbours. */
  readonly neighbours: readonly string[];
}

export type RestoredMessage = Omit<SealedMessage, "conversationKey"> & {
  readonly conversation: string;
};

/** A state that a conversation had before an operation, and which one it came from. */
export interface RestoredState {
  readonly id: string;
  readonly replacedOp: string;
  readonly changedOp: string;
  readonly bodyVersion: number;
  readonly body: string;
}

/** What the messages of a conversation need of it. */
export interface RestoredConversation {
  readonly id: string;
  readonly originKey: string;
  readonly source: SealedConversation["source"];
  readonly bodyVersion: number;
  readonly body: string;
}

export interface RestoreJob {
  readonly id: string;
  readonly client: string;
  readonly grantId: string;
  readonly format: string;
  /** Keyed hash of the archive: the same one again goes on where its job stopped. */
  readonly uploadKey: string;
  readonly keyVersion: number;
  readonly operationId: string;
  /** The report before the first batch, sealed, in hex. */
  readonly body: string;
  readonly isWhole: boolean;
  readonly now: number;
}

type LineKind = "memory" | "conversation" | "message";

/** Lines of a batch, and how many of them could not be read. */
export type LineCounts = Readonly<
  Record<LineKind, { readonly found: number; readonly unreadable: number }>
>;

/** What a job of a restore counts: lines found = written + unreadable + those that say what another one says. */
export type RestoredCounts = Readonly<
  Record<
    LineKind,
    { readonly found: number; readonly written: number; readonly unreadable: number }
  >
>;

/** A restore of which nothing was heard for so long is over: the account is in use by then. Arbitrary, above the days that quotas take. */
export const RESTORE_LASTS_MS = 7 * 86_400_000;

const MEMORY = columnLists(memories, ["seq", "userId"], "j.value");
const MEMORY_VERSION = columnLists(memoryVersions, ["userId"], "j.value");
const CONVERSATION = columnLists(conversations, ["userId", "messageCount"], "j.value");
const CONVERSATION_VERSION = columnLists(conversationVersions, ["userId"], "j.value");
const MESSAGE = columnLists(messages, ["seq", "userId"], "j.value");
const MESSAGE_VERSION = columnLists(messageVersions, ["userId"], "j.value");
const OPERATION = columnLists(operations, ["userId"], "j.value");

/** Only an account that holds nothing, no rules either, can become what an archive says. */
const EMPTY = `NOT EXISTS (SELECT 1 FROM memories WHERE user_id = ?1) AND NOT EXISTS (SELECT 1 FROM conversations WHERE user_id = ?1)
  AND NOT EXISTS (SELECT 1 FROM operations WHERE user_id = ?1) AND NOT EXISTS (SELECT 1 FROM accounts WHERE user_id = ?1 AND (rules IS NOT NULL OR rule_words IS NOT NULL))`;
/** Whoever began it goes on with it, after they cancelled it too. ?2 format, ?3 grant, ?4 upload key, ?5 when it was last heard of */
const BEGUN = `user_id = ?1 AND kind = 'import' AND format = ?2 AND grant_id = ?3 AND upload_key = ?4 AND updated_at > ?5
  AND state IN ('created', 'running', 'waiting_quota', 'cancelled')`;
const SQL_GO_ON = `UPDATE jobs SET state = 'running', updated_at = ?6 WHERE state = 'cancelled' AND ${BEGUN}`;
const SQL_BEGIN = `INSERT INTO jobs (user_id, id, kind, state, format, grant_id, client, counts, created_at, updated_at, key_version, upload_key, operation_id, body, expires_at)
  SELECT ?1, ?7, 'import', 'created', ?2, ?3, ?8, '{}', ?6, ?6, ?9, ?4, ?10, unhex(?11), iif(?12, ?6, NULL) WHERE ${EMPTY}
  AND NOT EXISTS (SELECT 1 FROM jobs WHERE ${BEGUN}) ON CONFLICT DO NOTHING`;
const SQL_BEGUN = `SELECT id FROM jobs WHERE ${BEGUN} ORDER BY created_at DESC, id LIMIT 1`;

const SQL_OPERATION = `INSERT INTO operations (user_id, id, kind, grant_id, client, created_at, counts, undoes_op, subject)
  VALUES (?1, ?2, 'import', ?3, ?4, ?5, '{}', NULL, ?6) ON CONFLICT DO NOTHING`;

const ADD = `ON CONFLICT (user_id) DO UPDATE SET memories_active = memories_active + excluded.memories_active,
  memories_pending = memories_pending + excluded.memories_pending, memories_trashed = memories_trashed + excluded.memories_trashed,
  memory_tokens = memory_tokens + excluded.memory_tokens, conversations = conversations + excluded.conversations,
  conversations_trashed = conversations_trashed + excluded.conversations_trashed, messages = messages + excluded.messages,
  message_tokens = message_tokens + excluded.message_tokens, bytes = bytes + excluded.bytes`;
const COUNTED = `INSERT INTO accounts (user_id, memory_tokenizer, message_tokenizer, memories_active, memories_pending, memories_trashed, memory_tokens,
  conversations, conversations_trashed, messages, message_tokens, bytes) SELECT ?1, ${TOKENIZER_VERSION}, ${TOKENIZER_VERSION}`;

/** Of two living memories that say the same, as an export of an account in use may hold them, the first stays. */
const NEW_MEMORY = `NOT EXISTS (SELECT 1 FROM memories m WHERE m.user_id = ?1 AND m.id = j.value->>'id')
  AND NOT EXISTS (SELECT 1 FROM memories m WHERE m.user_id = ?1 AND m.origin_key = j.value->>'originKey')
  AND NOT (j.value->>'status' IN ('active', 'pending') AND j.value->>'supersededBy' IS NULL AND EXISTS (SELECT 1 FROM memories m
    WHERE m.user_id = ?1 AND m.fingerprint = j.value->>'fingerprint' AND m.status IN ('active', 'pending') AND m.superseded_by IS NULL))`;
const SQL_COUNT_MEMORIES = `${COUNTED}, coalesce(sum(j.value->>'status' = 'active'), 0), coalesce(sum(j.value->>'status' = 'pending'), 0),
  coalesce(sum(j.value->>'status' = 'trashed'), 0), coalesce(sum(iif(j.value->>'status' = 'active', j.value->>'tokenCount', 0)), 0),
  0, 0, 0, 0, coalesce(sum(j.value->>'sizeBytes'), 0) FROM json_each(?2) j WHERE ${NEW_MEMORY} ${ADD}`;
const SQL_MEMORIES = `INSERT INTO memories (user_id, ${MEMORY.names}) SELECT ?1, ${MEMORY.fromJson} FROM json_each(?2) j
  WHERE ${NEW_MEMORY} ON CONFLICT DO NOTHING`;
const SQL_INDEX_MEMORIES = `INSERT OR REPLACE INTO memories_fts (rowid, text, dt, ctx) SELECT m.seq, m.tokens, m.dt, ''
  FROM json_each(?2) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'id' WHERE m.status = 'active'`;
const SQL_NAME_LABELS = `INSERT INTO labels (user_id, label, kind, key_version, created_at, body)
  SELECT ?1, l.value->>'label', l.value->>'kind', l.value->>'keyVersion', ?2, unhex(l.value->>'body')
  FROM json_each(?3) j CROSS JOIN json_each(j.value->'labels') l WHERE true ON CONFLICT DO NOTHING`;
const SQL_LABEL_MEMORIES = `INSERT INTO memory_labels (user_id, label, seq)
  SELECT ?1, l.value->>'label', m.seq FROM json_each(?2) j CROSS JOIN json_each(j.value->'labels') l
  CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'memoryId' WHERE true ON CONFLICT DO NOTHING`;

const NEW_CONVERSATION = `NOT EXISTS (SELECT 1 FROM conversations c WHERE c.user_id = ?1
  AND (c.id = j.value->>'id' OR c.origin_key = j.value->>'originKey'))`;
const SQL_COUNT_CONVERSATIONS = `${COUNTED}, 0, 0, 0, 0, coalesce(sum(j.value->>'status' = 'active'), 0), coalesce(sum(j.value->>'status' = 'trashed'), 0),
  0, 0, 0 FROM json_each(?2) j WHERE ${NEW_CONVERSATION} ${ADD}`;
const SQL_CONVERSATIONS = `INSERT INTO conversations (user_id, message_count, ${CONVERSATION.names}) SELECT ?1, 0, ${CONVERSATION.fromJson}
  FROM json_each(?2) j WHERE ${NEW_CONVERSATION} ON CONFLICT DO NOTHING`;

const NEW_MESSAGE =
  "NOT EXISTS (SELECT 1 FROM messages m WHERE m.user_id = ?1 AND m.origin_key = j.value->>'originKey')";
/** Messages of a conversation in the trash are no part of the sums. */
const SQL_COUNT_MESSAGES = `${COUNTED}, 0, 0, 0, 0, 0, 0, count(*), coalesce(sum(j.value->>'tokenCount'), 0), coalesce(sum(j.value->>'sizeBytes'), 0)
  FROM json_each(?2) j CROSS JOIN conversations c ON c.user_id = ?1 AND c.id = j.value->>'conversation' AND c.status = 'active' WHERE ${NEW_MESSAGE} ${ADD}`;
const SQL_MESSAGES = `INSERT INTO messages (user_id, ${MESSAGE.names}) SELECT ?1, ${MESSAGE.fromJson} FROM json_each(?2) j
  WHERE ${NEW_MESSAGE} ON CONFLICT DO NOTHING`;
const SQL_MESSAGE_COUNT = `UPDATE conversations SET message_count = (SELECT count(*) FROM messages m WHERE m.user_id = ?1 AND m.conversation = conversations.id)
  WHERE user_id = ?1 AND id IN (SELECT value FROM json_each(?2))`;

const SQL_MEMORY_VERSIONS = insertSql("memory_versions", MEMORY_VERSION);
const SQL_CONVERSATION_VERSIONS = insertSql("conversation_versions", CONVERSATION_VERSION);
const SQL_MESSAGE_VERSIONS = insertSql("message_versions", MESSAGE_VERSION);
const SQL_OPERATIONS = insertSql("operations", OPERATION);
/** What the person has set meanwhile stays. */
const SQL_RULES = `INSERT INTO accounts (user_id, rules, rule_words, memory_tokenizer, message_tokenizer)
  VALUES (?1, ?2, unhex(?3), ${TOKENIZER_VERSION}, ${TOKENIZER_VERSION})
  ON CONFLICT (user_id) DO UPDATE SET rules = excluded.rules, rule_words = excluded.rule_words
  WHERE accounts.rules IS NULL AND accounts.rule_words IS NULL`;

const counted = (kind: LineKind, rows: string) =>
  `'${kind}', json_object('written', coalesce(counts->>'$.${kind}.written', 0) + (${rows}),
    'unreadable', coalesce(counts->>'$.${kind}.unreadable', 0) + (?8->>'$.${kind}.unreadable'),
    'found', coalesce(counts->>'$.${kind}.found', 0) + (?8->>'$.${kind}.found'))`;
/** ?5 ids of memories, ?6 of conversations, ?7 keys of messages, ?8 what was counted of the lines */
const SQL_ADVANCE = `UPDATE jobs SET cursor = ?3, state = 'running', updated_at = ?4, counts = json_object(
  ${counted("memory", "SELECT count(*) FROM json_each(?5) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value")},
  ${counted("conversation", "SELECT count(*) FROM json_each(?6) j CROSS JOIN conversations c ON c.user_id = ?1 AND c.id = j.value")},
  ${counted("message", "SELECT count(*) FROM json_each(?7) j CROSS JOIN messages m ON m.user_id = ?1 AND m.origin_key = j.value")})
  WHERE user_id = ?1 AND id = ?2 AND coalesce(cursor, 0) = ?3 - 1`;
const SQL_COUNT_OPERATION = `UPDATE operations SET counts = (SELECT json_object('conversations', counts->>'$.conversation.written',
  'messages', counts->>'$.message.written', 'memories', counts->>'$.memory.written') FROM jobs WHERE user_id = ?1 AND id = ?3) WHERE user_id = ?1 AND id = ?2`;

const SQL_CONVERSATION = `SELECT c.id, c.origin_key AS originKey, c.source, c.body_version AS bodyVersion, hex(c.body) AS body
  FROM json_each(?2) j CROSS JOIN conversations c ON c.user_id = ?1 AND c.id = j.value`;
const SQL_BEFORE = `SELECT m.origin_key AS originKey FROM json_each(?2) j CROSS JOIN messages m ON m.user_id = ?1
  AND m.conversation = j.value->>'conversation' AND m.position BETWEEN j.value->>'position' - ${CONTEXT_TURNS} AND j.value->>'position' - 1`;

const SQL_STATES = `SELECT v.id, v.replaced_op AS replacedOp, v.changed_op AS changedOp, v.body_version AS bodyVersion, hex(v.body) AS body
  FROM json_each(?2) j CROSS JOIN conversation_versions v ON v.user_id = ?1 AND v.id = j.value->>'conversation' AND v.replaced_op = j.value->>'op'
  ORDER BY v.id, v.version`;

export type ArchiveRestoreStore = ReturnType<typeof openArchiveRestore>;

export function openArchiveRestore(d1: D1Database, userId: string) {
  const ofUser = (statements: readonly string[]) =>
    statements.map((statement) => (part: string) => d1.prepare(statement).bind(userId, part));

  return {
    /** Whether the account can become what an archive says. */
    async isEmpty(): Promise<boolean> {
      const found = await d1
        .prepare(`SELECT ${EMPTY} AS empty`)
        .bind(userId)
        .first<number>("empty");
      return found === 1;
    },

    /** The job of a restore, made or gone on with. Null: the account holds something of its own. */
    async begin(job: RestoreJob): Promise<string | null> {
      const { id, format, grantId, client, now, keyVersion, uploadKey, operationId, body } = job;
      const isWhole = job.isWhole ? 1 : 0;
      const begunBy = [userId, format, grantId, uploadKey, now - RESTORE_LASTS_MS];
      const results = await runBatch(d1, [
        d1.prepare(SQL_GO_ON).bind(...begunBy, now),
        d1
          .prepare(SQL_BEGIN)
          .bind(...begunBy, now, id, client, keyVersion, operationId, body, isWhole),
        d1.prepare(SQL_BEGUN).bind(...begunBy),
      ]);
      // True because the last statement selects this column.
      const [begun] = (results.at(-1)?.results ?? []) as { id: string }[];
      return begun?.id ?? null;
    },

    /** Conversations that were written already, and the messages just before the first new one of each. One round trip. */
    async around(
      ids: readonly string[],
      firsts: readonly { readonly conversation: string; readonly position: number }[],
    ): Promise<{ conversations: RestoredConversation[]; before: string[] }> {
      const [found, before] = await d1.batch([
        d1.prepare(SQL_CONVERSATION).bind(userId, JSON.stringify(ids)),
        d1.prepare(SQL_BEFORE).bind(userId, JSON.stringify(firsts)),
      ]);
      return {
        // Both true because these are the columns of the statements.
        conversations: (found?.results ?? []) as RestoredConversation[],
        before: ((before?.results ?? []) as { originKey: string }[]).map(
          ({ originKey }) => originKey,
        ),
      };
    },

    /** States of conversations that operations replaced, of those that were written already; the earliest first. */
    async replacedStates(
      asked: readonly { readonly conversation: string; readonly op: string }[],
    ): Promise<RestoredState[]> {
      const { results } = await d1
        .prepare(SQL_STATES)
        .bind(userId, JSON.stringify(asked))
        .run<RestoredState>();
      return results;
    },

    /** Nothing changes where the batch was written before. */
    async write(
      batch: RestoreBatch,
      { jobId, lines }: { readonly jobId: string; readonly lines: LineCounts },
      { id: op, grantId, client, now }: OperationInput,
    ): Promise<void> {
      const conversationIds = [...new Set(batch.messages.map(({ conversation }) => conversation))];
      const labels = JSON.stringify(batch.labels);
      const reindex = [...batch.neighbours, ...batch.messages.map(({ originKey }) => originKey)];
      await runBatch(d1, [
        d1.prepare(SQL_OPERATION).bind(userId, op, grantId, client, now, jobId),
        ...each(batch.memories, ofUser([SQL_COUNT_MEMORIES, SQL_MEMORIES, SQL_INDEX_MEMORIES])),
        ...(batch.labels.length === 0
          ? []
          : [
              d1.prepare(SQL_NAME_LABELS).bind(userId, now, labels),
              d1.prepare(SQL_LABEL_MEMORIES).bind(userId, labels),
            ]),
        ...each(batch.memoryVersions, ofUser([SQL_MEMORY_VERSIONS])),
        ...each(batch.conversations, ofUser([SQL_COUNT_CONVERSATIONS, SQL_CONVERSATIONS])),
        ...each(batch.conversationVersions, ofUser([SQL_CONVERSATION_VERSIONS])),
        ...each(batch.messages, ofUser([SQL_COUNT_MESSAGES, SQL_MESSAGES])),
        ...(batch.messages.length === 0
          ? []
          : [
              d1.prepare(SQL_REINDEX).bind(userId, JSON.stringify(reindex)),
              d1.prepare(SQL_MESSAGE_COUNT).bind(userId, JSON.stringify(conversationIds)),
            ]),
        ...each(batch.removedMessages, ofUser([SQL_MESSAGES])),
        ...each(batch.messageVersions, ofUser([SQL_MESSAGE_VERSIONS])),
        ...each(batch.operations, ofUser([SQL_OPERATIONS])),
        ...(batch.rules === null
          ? []
          : [d1.prepare(SQL_RULES).bind(userId, batch.rules.rules, batch.rules.ruleWords)]),
        d1.prepare(SQL_SPEND).bind(userId, jobId, batch.number, dayOf(now), rowsWritten(batch)),
        d1
          .prepare(SQL_ADVANCE)
          .bind(
            userId,
            jobId,
            batch.number,
            now,
            JSON.stringify(batch.memories.map(({ id }) => id)),
            JSON.stringify(batch.conversations.map(({ id }) => id)),
            JSON.stringify(batch.messages.map(({ originKey }) => originKey)),
            JSON.stringify(lines),
          ),
        d1.prepare(SQL_COUNT_OPERATION).bind(userId, op, jobId),
        d1.prepare(SQL_CHANGED).bind(userId),
      ]);
    },
  };
}

/** As D1 counts them, as far as it can be told before. */
function rowsWritten(batch: RestoreBatch): number {
  const { message, conversation, memory, version, batch: own } = ROWS_WRITTEN;
  const labels = batch.labels.reduce((sum, { labels: of }) => sum + 2 * of.length, 0);
  const versions = [batch.memoryVersions, batch.conversationVersions, batch.messageVersions];
  return (
    own +
    memory * batch.memories.length +
    labels +
    conversation * batch.conversations.length +
    // Written again for its count of messages.
    new Set(batch.messages.map(({ conversation: id }) => id)).size +
    message * (batch.messages.length + batch.removedMessages.length) +
    version * versions.reduce((sum, { length }) => sum + length, 0) +
    batch.neighbours.length +
    batch.operations.length
  );
}

function insertSql(
  table: string,
  { names, fromJson }: { names: string; fromJson: string },
): string {
  return `INSERT INTO ${table} (user_id, ${names}) SELECT ?1, ${fromJson} FROM json_each(?2) j WHERE true ON CONFLICT DO NOTHING`;
}
