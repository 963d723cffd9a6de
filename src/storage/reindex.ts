/** Rows that an older version of the tokeniser indexed, and the writes that bring their index up to date. Derived data only. */
import { and, asc, eq, getTableColumns, gt, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { TOKENIZER_VERSION } from "../search/tokenize.ts";
import { runBatch } from "./batch.ts";
import { SQL_REINDEX } from "./imports.ts";
import type { MemoryRow } from "./memories.ts";
import { accounts, memories, messages } from "./schema.ts";

/** New columns for a row as it was read. `version`: of that reading; a row changed since has new ones already. */
export interface Reindexed {
  readonly id: string;
  readonly version: number;
  readonly tokens: string;
  readonly dt: string;
  readonly tokenCount: number;
}

export interface ReindexedMessage extends Reindexed {
  readonly originKey: string;
  readonly speaker: string;
}

/** ?2 rows. The difference is taken before the rows change, and is nothing when the batch runs again. */
const OUTDATED_MEMORY = `m.user_id = ?1 AND m.id = j.value->>'id' AND m.version = j.value->>'version' AND m.tokenizer_version < ${TOKENIZER_VERSION}`;
const SQL_COUNT_MEMORIES = `UPDATE accounts SET memory_tokens = memory_tokens + coalesce((SELECT sum(j.value->>'tokenCount' - m.token_count)
  FROM json_each(?2) j CROSS JOIN memories m ON ${OUTDATED_MEMORY} WHERE m.status = 'active'), 0) WHERE user_id = ?1`;
const SQL_MEMORIES = `UPDATE memories SET tokens = j.value->>'tokens', dt = j.value->>'dt', token_count = j.value->>'tokenCount',
  tokenizer_version = ${TOKENIZER_VERSION} FROM json_each(?2) j WHERE ${OUTDATED_MEMORY.replaceAll("m.", "memories.")}`;
const SQL_INDEX_MEMORIES = `INSERT OR REPLACE INTO memories_fts (rowid, text, dt, ctx) SELECT m.seq, m.tokens, m.dt, ''
  FROM json_each(?2) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'id' WHERE m.status = 'active'`;
const OUTDATED_MESSAGE = `m.user_id = ?1 AND m.origin_key = j.value->>'originKey' AND m.version = j.value->>'version' AND m.tokenizer_version < ${TOKENIZER_VERSION}`;
const SQL_COUNT_MESSAGES = `UPDATE accounts SET message_tokens = message_tokens + coalesce((SELECT sum(j.value->>'tokenCount' - m.token_count)
  FROM json_each(?2) j CROSS JOIN messages m ON ${OUTDATED_MESSAGE}), 0) WHERE user_id = ?1`;
const SQL_MESSAGES = `UPDATE messages SET tokens = j.value->>'tokens', dt = j.value->>'dt', speaker = j.value->>'speaker',
  token_count = j.value->>'tokenCount', tokenizer_version = ${TOKENIZER_VERSION} FROM json_each(?2) j
  WHERE ${OUTDATED_MESSAGE.replaceAll("m.", "messages.")}`;

export type ReindexStore = ReturnType<typeof openReindex>;

export function openReindex(d1: D1Database, userId: string) {
  const db = drizzle(d1);
  return {
    /** By id, beyond `after`. */
    async outdatedMemories(after: string, limit: number): Promise<MemoryRow[]> {
      return db
        .select({ ...getTableColumns(memories), body: sql<string>`hex(${memories.body})` })
        .from(memories)
        .where(
          and(
            eq(memories.userId, userId),
            gt(memories.id, after),
            lt(memories.tokenizerVersion, TOKENIZER_VERSION),
          ),
        )
        .orderBy(asc(memories.id))
        .limit(limit);
    },

    async replaceMemories(rows: readonly Reindexed[]): Promise<void> {
      const json = JSON.stringify(rows);
      await runBatch(
        d1,
        [SQL_COUNT_MEMORIES, SQL_MEMORIES, SQL_INDEX_MEMORIES].map((statement) =>
          d1.prepare(statement).bind(userId, json),
        ),
      );
    },

    /** Conversations with such messages, by id, beyond `after`. */
    async outdatedConversations(after: string, limit: number): Promise<string[]> {
      const rows = await db
        .selectDistinct({ id: messages.conversation })
        .from(messages)
        .where(
          and(
            eq(messages.userId, userId),
            gt(messages.conversation, after),
            lt(messages.tokenizerVersion, TOKENIZER_VERSION),
          ),
        )
        .orderBy(asc(messages.conversation))
        .limit(limit);
      return rows.map(({ id }) => id);
    },

    /** `around`: keys of the messages that hold their words as context. */
    async replaceMessages(
      rows: readonly ReindexedMessage[],
      around: readonly string[],
    ): Promise<void> {
      const json = JSON.stringify(rows);
      await runBatch(d1, [
        d1.prepare(SQL_COUNT_MESSAGES).bind(userId, json),
        d1.prepare(SQL_MESSAGES).bind(userId, json),
        d1.prepare(SQL_REINDEX).bind(userId, JSON.stringify(around)),
      ]);
    },

    /** From now on queries need not ask for the tokens of older versions. */
    async finish(index: "memories" | "messages"): Promise<void> {
      await db
        .update(accounts)
        .set(
          index === "memories"
            ? { memoryTokenizer: TOKENIZER_VERSION }
            : { messageTokenizer: TOKENIZER_VERSION },
        )
        .where(eq(accounts.userId, userId));
    },
  };
}
