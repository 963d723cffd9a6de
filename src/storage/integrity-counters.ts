/** The counters of an account beside what its rows sum up to. */
import { SQL_COUNT } from "./backup-restore.ts";
import { SUMS } from "./sums.ts";

/** By their names, the counters of the account that are not as the rows have them. */
const WRONG_COUNTERS = {
  memories_active: "a.memories_active <> mem.active",
  memories_pending: "a.memories_pending <> mem.pending",
  memories_trashed: "a.memories_trashed <> mem.trashed",
  memory_tokens: "a.memory_tokens <> mem.tokens",
  memory_tokenizer: "a.memory_tokenizer > mem.tokenizer",
  conversations: "a.conversations <> con.active",
  conversations_trashed: "a.conversations_trashed <> con.trashed",
  messages: "a.messages <> msg.n",
  message_tokens: "a.message_tokens <> msg.tokens",
  message_tokenizer: "a.message_tokenizer > msg.tokenizer",
  bytes: "a.bytes <> mem.bytes + msg.bytes",
} as const;
const SQL_WRONG_COUNTERS = `SELECT ${Object.entries(WRONG_COUNTERS)
  .map(([name, isWrong]) => `${isWrong} AS ${name}`)
  .join(", ")} FROM accounts a, ${SUMS} WHERE a.user_id = ?1`;

export function openIntegrityCounters(d1: D1Database, userId: string) {
  const bound = (statement: string) => d1.prepare(statement).bind(userId);

  return {
    /** Names of counters that are not as the rows have them, all of one moment. Walks all of the user's rows. */
    async wrongCounters(): Promise<string[]> {
      const [row] = (await bound(SQL_WRONG_COUNTERS).run<Record<string, number>>()).results;
      return Object.entries(row ?? {}).flatMap(([name, isWrong]) => (isWrong === 1 ? [name] : []));
    },

    async recount(): Promise<void> {
      await bound(SQL_COUNT).run();
    },
  };
}
