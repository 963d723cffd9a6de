/** Index entries and labels of memories that an operation has changed, made to be as the changed rows are. */
import type { SealedLabel } from "./memories.ts";

export interface LabelChanges {
  /** Tokens. */
  readonly drop: readonly string[];
  readonly add: readonly SealedLabel[];
}

/** ?1 user, ?2 operation, ?3 items, ?4 time. */
const CHANGED = `json_each(?3) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'id' AND m.changed_op = ?2`;
const SQL_UNINDEX = `DELETE FROM memories_fts WHERE rowid IN (SELECT m.seq FROM ${CHANGED})`;
const SQL_INDEX = `INSERT OR REPLACE INTO memories_fts (rowid, text, dt, ctx)
  SELECT m.seq, m.tokens, m.dt, '' FROM ${CHANGED} WHERE m.status = 'active'`;
const SQL_UNLABEL = `DELETE FROM memory_labels WHERE user_id = ?1 AND (label, seq) IN
  (SELECT l.value, m.seq FROM ${CHANGED} CROSS JOIN json_each(j.value->'labels'->'drop') l)`;
const SQL_NAME_LABELS = `INSERT INTO labels (user_id, label, kind, key_version, created_at, body)
  SELECT ?1, l.value->>'label', l.value->>'kind', l.value->>'keyVersion', ?4, unhex(l.value->>'body')
  FROM ${CHANGED} CROSS JOIN json_each(j.value->'labels'->'add') l WHERE true ON CONFLICT DO NOTHING`;
const SQL_RESPELL = `INSERT INTO labels (user_id, label, kind, key_version, created_at, body)
  SELECT ?1, l.value->>'label', l.value->>'kind', l.value->>'keyVersion', ?4, unhex(l.value->>'body')
  FROM ${CHANGED} CROSS JOIN json_each(j.value->'labels'->'add') l WHERE l.value->>'isRespelt'
  ON CONFLICT (user_id, label) DO UPDATE SET key_version = excluded.key_version, body = excluded.body`;
const SQL_LABEL = `INSERT INTO memory_labels (user_id, label, seq)
  SELECT ?1, l.value->>'label', m.seq FROM ${CHANGED} CROSS JOIN json_each(j.value->'labels'->'add') l WHERE true ON CONFLICT DO NOTHING`;

/** Nothing happens to items that the operation has not made or changed. */
export function findableStatements(
  d1: D1Database,
  userId: string,
  {
    items,
    op,
    now,
  }: {
    readonly items: readonly { readonly id: string; readonly labels?: LabelChanges }[];
    readonly op: string;
    readonly now: number;
  },
): D1PreparedStatement[] {
  const rows = JSON.stringify(items.map(({ id, labels }) => ({ id, labels })));
  const bound = (statement: string) => d1.prepare(statement).bind(userId, op, rows);
  const drops = items.some(({ labels }) => (labels?.drop.length ?? 0) > 0);
  const adds = items.some(({ labels }) => (labels?.add.length ?? 0) > 0);
  const respells = items.some(({ labels }) => labels?.add.some(({ isRespelt }) => isRespelt));
  const named = (statement: string) => d1.prepare(statement).bind(userId, op, rows, now);
  return [
    bound(SQL_UNINDEX),
    bound(SQL_INDEX),
    ...(drops ? [bound(SQL_UNLABEL)] : []),
    ...(adds ? [named(SQL_NAME_LABELS), bound(SQL_LABEL)] : []),
    ...(respells ? [named(SQL_RESPELL)] : []),
  ];
}
