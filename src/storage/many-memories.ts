/** One change of many memories: one batch, one operation, and each memory for itself, so that one that was changed meanwhile stops no other. */
import { packed, runBatch } from "./batch.ts";
import { columnLists, prefixed } from "./columns.ts";
import { findableStatements } from "./findable.ts";
import type { OperationInput } from "./memories.ts";
import { rewriteStatements, type Rewrite } from "./memory-files.ts";
import type { OperationRow } from "./operations.ts";
import { memories } from "./schema.ts";

export interface ManyRewrite extends Rewrite {
  /** It leaves the trash, and must find no living memory that says the same. */
  readonly returns: boolean;
  /** Id of a memory that this one now replaces. */
  readonly supersedes: string | null;
}

/** What a memory and its earlier versions have in common. */
const SHARED = columnLists(memories, ["seq", "userId", "id"]);

// ?1 user, ?2 operation, ?3 time, ?4 items.
const SQL_KEEP = `INSERT INTO memory_versions (user_id, id, replaced_op, replaced_at, ${SHARED.names})
  SELECT ?1, m.id, ?2, ?3, ${prefixed("m", SHARED.names)} FROM json_each(?4) j
  CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'id' AND m.version = j.value->>'version'
  WHERE NOT (j.value->>'returns' AND EXISTS (SELECT 1 FROM memories t WHERE t.user_id = ?1 AND t.fingerprint = m.fingerprint
    AND t.status IN ('active', 'pending') AND t.superseded_by IS NULL AND t.id <> m.id)) ON CONFLICT DO NOTHING`;
/** What an approved memory was saved to supersede, if that is still there. */
const REPLACED = `json_each(?4) j CROSS JOIN memories n ON n.user_id = ?1 AND n.id = j.value->>'id' AND n.changed_op = ?2
  CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'supersedes' AND m.id <> n.id AND m.status <> 'trashed' AND m.superseded_by IS NULL`;
const SQL_REPLACED_VERSIONS = `INSERT INTO memory_versions (user_id, id, replaced_op, replaced_at, ${SHARED.names})
  SELECT ?1, m.id, ?2, ?3, ${prefixed("m", SHARED.names)} FROM ${REPLACED} ON CONFLICT DO NOTHING`;
const SQL_REPLACE = `WITH replaced AS MATERIALIZED (SELECT m.seq, min(n.id) AS successor FROM ${REPLACED} GROUP BY m.seq)
  UPDATE memories SET superseded_by = (SELECT r.successor FROM replaced r WHERE r.seq = memories.seq), path_token = NULL, version = version + 1,
    changed_op = ?2, updated_at = ?3 WHERE seq IN (SELECT seq FROM replaced)`;
/** Once per operation. A memory that was approved and superseded has two earlier states: its own counts are in the first of them. */
const SQL_COUNT = `UPDATE accounts SET memories_active = memories_active + s.active, memories_pending = memories_pending + s.pending,
    memories_trashed = memories_trashed + s.trashed, memory_tokens = memory_tokens + s.more_tokens, bytes = bytes + s.more_bytes,
    changes = changes + (s.items > 0)
  FROM (SELECT count(*) AS items, coalesce(sum((m.status = 'active') - (v.status = 'active')), 0) AS active,
    coalesce(sum((m.status = 'pending') - (v.status = 'pending')), 0) AS pending,
    coalesce(sum((m.status = 'trashed') - (v.status = 'trashed')), 0) AS trashed,
    coalesce(sum(iif(m.status = 'active', m.token_count, 0) - iif(v.status = 'active', v.token_count, 0)), 0) AS more_tokens,
    coalesce(sum(m.size_bytes - v.size_bytes), 0) AS more_bytes
    FROM memory_versions v CROSS JOIN memories m ON m.user_id = v.user_id AND m.id = v.id WHERE v.user_id = ?1 AND v.replaced_op = ?2) s
  WHERE accounts.user_id = ?1 AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.user_id = ?1 AND o.id = ?2)`;
const SQL_OPERATION = `INSERT INTO operations (user_id, id, kind, grant_id, client, created_at, counts, undoes_op, subject)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, json_object('memories', count(DISTINCT v.id)), NULL, iif(count(DISTINCT v.id) = 1, min(v.id), NULL)
  FROM memory_versions v WHERE v.user_id = ?1 AND v.replaced_op = ?2 HAVING count(*) > 0 ON CONFLICT DO NOTHING`;
const SQL_DONE = `SELECT m.id FROM json_each(?3) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'id'
  AND m.changed_op = ?2`;

export type ManyMemoriesStore = ReturnType<typeof openManyMemories>;

export function openManyMemories(d1: D1Database, userId: string) {
  return {
    /** @returns ids of those that were changed: still at the version that was read, and free to return */
    async rewrite(
      rewrites: readonly ManyRewrite[],
      kind: OperationRow["kind"],
      { id: op, grantId, client, now }: OperationInput,
    ): Promise<Set<string>> {
      const items = JSON.stringify(
        rewrites.map(({ row, returns, supersedes }) => ({
          id: row.id,
          version: row.version - 1,
          returns,
          supersedes,
        })),
      );
      const rows = rewrites.map(({ row }) => row);
      const found = rewrites.map(({ row: { id }, labels }) => ({ id, ...(labels && { labels }) }));
      const isReplacing = rewrites.some(({ supersedes }) => supersedes !== null);
      const results = await runBatch(d1, [
        d1.prepare(SQL_KEEP).bind(userId, op, now, items),
        ...rewriteStatements(d1, userId, op, rows),
        ...packed(found, (item) => JSON.stringify(item).length + 1).flatMap((part) =>
          findableStatements(d1, userId, { items: part, op, now }),
        ),
        ...(isReplacing
          ? [SQL_REPLACED_VERSIONS, SQL_REPLACE].map((statement) =>
              d1.prepare(statement).bind(userId, op, now, items),
            )
          : []),
        d1.prepare(SQL_COUNT).bind(userId, op),
        d1.prepare(SQL_OPERATION).bind(userId, op, kind, grantId, client, now),
        d1.prepare(SQL_DONE).bind(userId, op, items),
      ]);
      // True because the last statement returns this column.
      const done = (results.at(-1)?.results ?? []) as { id: string }[];
      return new Set(done.map(({ id }) => id));
    },
  };
}
