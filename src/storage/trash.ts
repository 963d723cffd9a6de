/**
 * Emptying the trash, a bounded part at a time. Each statement takes only what is in the trash for long enough when it runs, so what was
 * restored meanwhile stays, and what ran already finds nothing. Of an item everything goes: row, earlier states, index entries, labels.
 * (FTS5 drops the blind tokens of deleted entries from its segments as it merges them, at the latest where a tenth of one is deleted.)
 * Its operations stay, and count what is gone, so that an undo can say it.
 */
import { SQL_CHANGED } from "./accounts.ts";
import { runBatch } from "./batch.ts";
import { REMOVED_FROM } from "./conversations.ts";
import type { TrashPart } from "./plan.ts";

export interface EmptiedTrash {
  /** Something went. */
  readonly isPurged: boolean;
  /** More is due than was purged in one go. */
  readonly isDue: boolean;
  /** Something is in the trash, due or not. */
  readonly isWaiting: boolean;
}

// ?1 user, ?2 ids, ?3 trashed until then.
const MEMORIES = `json_each(?2) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value AND m.status = 'trashed' AND m.trashed_at <= ?3`;
const SQL_COUNT_MEMORIES = `UPDATE accounts SET memories_trashed = memories_trashed - n.items, bytes = bytes - n.size, changes = changes + 1
  FROM (SELECT count(*) AS items, coalesce(sum(m.size_bytes), 0) AS size FROM ${MEMORIES}) n WHERE accounts.user_id = ?1`;
const PURGE_MEMORIES = [
  tellOperations("purged_memories", "memory_versions", `m.id, m.created_op FROM ${MEMORIES}`),
  SQL_COUNT_MEMORIES,
  `DELETE FROM memory_versions WHERE user_id = ?1 AND id IN (SELECT m.id FROM ${MEMORIES})`,
  `DELETE FROM memory_labels WHERE user_id = ?1 AND seq IN (SELECT m.seq FROM ${MEMORIES})`,
  `DELETE FROM memories_fts WHERE rowid IN (SELECT m.seq FROM ${MEMORIES})`,
  `DELETE FROM memories WHERE seq IN (SELECT m.seq FROM ${MEMORIES})`,
];
/** Names that no memory has any more, of whatever became of those that had them. */
const SQL_LABELS = `DELETE FROM labels WHERE user_id = ?1
  AND NOT EXISTS (SELECT 1 FROM memory_labels l WHERE l.user_id = labels.user_id AND l.label = labels.label)`;

const CONVERSATIONS = `json_each(?2) j CROSS JOIN conversations c ON c.user_id = ?1 AND c.id = j.value AND c.status = 'trashed' AND c.trashed_at <= ?3`;
const RESTORABLE =
  "EXISTS (SELECT 1 FROM conversation_versions v WHERE v.user_id = c.user_id AND v.id = c.id)";
/**
 * A conversation may have more messages than go at once. Its earlier states go first: without them nothing brings it back, and half of it
 * neither, because a restore takes the earlier state from them when it writes.
 */
const FORGET_STATES = [
  tellOperations(
    "purged_conversations",
    "conversation_versions",
    `c.id, c.created_op FROM ${CONVERSATIONS} WHERE ${RESTORABLE}`,
  ),
  `UPDATE accounts SET conversations_trashed = conversations_trashed - (SELECT count(*) FROM ${CONVERSATIONS} WHERE ${RESTORABLE}), changes = changes + 1 WHERE user_id = ?1`,
  `DELETE FROM conversation_versions WHERE user_id = ?1 AND id IN (SELECT c.id FROM ${CONVERSATIONS})`,
];
const SQL_MESSAGES = `SELECT m.seq FROM ${CONVERSATIONS} CROSS JOIN messages m ON m.user_id = ?1
  AND m.conversation IN (c.id, '${REMOVED_FROM}' || c.id) WHERE NOT ${RESTORABLE} LIMIT ?4`;
/** ?2 their seqs. */
const DOOMED = "json_each(?2) j CROSS JOIN messages m ON m.seq = j.value AND m.user_id = ?1";
const PURGE_MESSAGES = [
  `DELETE FROM messages_fts WHERE rowid IN (SELECT m.seq FROM ${DOOMED})`,
  `DELETE FROM message_versions WHERE rowid IN (SELECT v.rowid FROM ${DOOMED} CROSS JOIN message_versions v ON v.user_id = ?1 AND v.id = m.id
    AND v.conversation IN (ltrim(m.conversation, '${REMOVED_FROM}'), '${REMOVED_FROM}' || ltrim(m.conversation, '${REMOVED_FROM}')))`,
  `DELETE FROM messages WHERE seq IN (SELECT m.seq FROM ${DOOMED})`,
];
const SQL_CONVERSATIONS = `DELETE FROM conversations WHERE rowid IN (SELECT c.rowid FROM ${CONVERSATIONS} WHERE NOT ${RESTORABLE}
  AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.user_id = ?1 AND m.conversation IN (c.id, '${REMOVED_FROM}' || c.id)))`;

const SQL_KEYS = "DELETE FROM idempotency WHERE user_id = ?1 AND expires_at <= ?2";
const dueSql = (table: "memories" | "conversations") =>
  `SELECT id FROM ${table} WHERE user_id = ?1 AND status = 'trashed' AND trashed_at <= ?2`;
const SQL_LEFT = `SELECT EXISTS (${dueSql("memories")}) OR EXISTS (${dueSql("conversations")}) AS isDue,
  EXISTS (SELECT 1 FROM memories WHERE user_id = ?1 AND status = 'trashed')
  OR EXISTS (SELECT 1 FROM conversations WHERE user_id = ?1 AND status = 'trashed') AS isWaiting`;

/** Purges a part of what went to the trash until `before`, and keys of idempotency that have expired by `now`. Needs no key. */
export async function emptyTrash(
  d1: D1Database,
  userId: string,
  {
    before,
    now,
    part,
  }: { readonly before: number; readonly now: number; readonly part: TrashPart },
): Promise<EmptiedTrash> {
  const due = async (table: "memories" | "conversations", limit: number) => {
    const sql = `${dueSql(table)} LIMIT ?3`;
    const { results } = await d1.prepare(sql).bind(userId, before, limit).run<{ id: string }>();
    return results.map(({ id }) => id);
  };
  const memories = await due("memories", part.memories);
  if (memories.length > 0) {
    const ids = JSON.stringify(memories);
    await runBatch(d1, [
      ...PURGE_MEMORIES.map((statement) => d1.prepare(statement).bind(userId, ids, before)),
      d1.prepare(SQL_LABELS).bind(userId),
    ]);
  }
  const conversations = await due("conversations", part.conversations);
  if (conversations.length > 0) {
    await purgeConversations(d1, userId, { ids: conversations, before, messages: part.messages });
  }
  const [, left] = await d1.batch<{ isDue: number; isWaiting: number }>([
    d1.prepare(SQL_KEYS).bind(userId, now),
    d1.prepare(SQL_LEFT).bind(userId, before),
  ]);
  const [found] = left?.results ?? [];
  return {
    isPurged: memories.length + conversations.length > 0,
    isDue: found?.isDue === 1,
    isWaiting: found?.isWaiting === 1,
  };
}

async function purgeConversations(
  d1: D1Database,
  userId: string,
  {
    ids,
    before,
    messages: atOnce,
  }: { readonly ids: readonly string[]; readonly before: number; readonly messages: number },
): Promise<void> {
  const due = [userId, JSON.stringify(ids), before];
  const [messages] = (
    await runBatch(d1, [
      ...FORGET_STATES.map((statement) => d1.prepare(statement).bind(...due)),
      d1.prepare(SQL_MESSAGES).bind(...due, atOnce),
    ])
  ).slice(-1);
  // True because the last statement returns this column.
  const seqs = (messages?.results ?? []) as { seq: number }[];
  const given = JSON.stringify(seqs.map(({ seq }) => seq));
  await runBatch(d1, [
    ...(seqs.length === 0
      ? []
      : PURGE_MESSAGES.map((statement) => d1.prepare(statement).bind(userId, given))),
    d1.prepare(SQL_CONVERSATIONS).bind(...due),
    d1.prepare(SQL_CHANGED).bind(userId),
  ]);
}

/** Adds to the counts of each operation that made or changed the items how many of them are gone. @param items ids and what made them */
function tellOperations(count: string, versions: string, items: string): string {
  return `WITH gone(id, op) AS MATERIALIZED (SELECT ${items}), told(op, items) AS MATERIALIZED (SELECT op, count(*) FROM (SELECT id, op FROM gone
    UNION SELECT g.id, v.replaced_op FROM gone g CROSS JOIN ${versions} v ON v.user_id = ?1 AND v.id = g.id) GROUP BY op)
  UPDATE operations SET counts = json_set(counts, '$.${count}', coalesce(counts->>'$.${count}', 0) + (SELECT items FROM told WHERE op = operations.id))
  WHERE user_id = ?1 AND id IN (SELECT op FROM told)`;
}
