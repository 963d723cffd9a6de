/** The counters of an account, and what they should be. */
import { env } from "cloudflare:workers";
import type { Person } from "./people.ts";

export async function countersOf({ userId }: Person) {
  return env.DB.prepare(
    `SELECT memories_active, memories_pending, memories_trashed, memory_tokens, conversations, conversations_trashed, messages, message_tokens, bytes
    FROM accounts WHERE user_id = ?`,
  )
    .bind(userId)
    .first();
}

/** The counters as the rows have them. */
export async function sumsOf({ userId }: Person) {
  return env.DB.prepare(
    `WITH m AS (SELECT * FROM memories WHERE user_id = ?1), c AS (SELECT * FROM conversations WHERE user_id = ?1),
      said AS (SELECT * FROM messages WHERE user_id = ?1 AND conversation IN (SELECT id FROM c WHERE status = 'active'))
    SELECT (SELECT count(*) FROM m WHERE status = 'active') AS memories_active, (SELECT count(*) FROM m WHERE status = 'pending') AS memories_pending,
      (SELECT count(*) FROM m WHERE status = 'trashed') AS memories_trashed,
      (SELECT coalesce(sum(token_count), 0) FROM m WHERE status = 'active') AS memory_tokens,
      (SELECT count(*) FROM c WHERE status = 'active') AS conversations, (SELECT count(*) FROM c WHERE status = 'trashed') AS conversations_trashed,
      (SELECT count(*) FROM said) AS messages, (SELECT coalesce(sum(token_count), 0) FROM said) AS message_tokens,
      (SELECT coalesce(sum(size_bytes), 0) FROM m) + (SELECT coalesce(sum(size_bytes), 0) FROM said) AS bytes`,
  )
    .bind(userId)
    .first();
}
