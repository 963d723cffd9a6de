/**
 * Where an account holds as many memories as it may: which ones matter least, and one of them to the trash within the batch of the
 * save that needs its place. All of it is decided in SQL, because parallel saves read the same counters before any of them writes.
 */
import { CLAIMED } from "./batch.ts";
import { isFree, isRoot } from "./file-place.ts";

/** A memory as far as it must be shown to be recognised: its ciphertext in hex. */
export interface SealedText {
  readonly id: string;
  readonly bodyVersion: number;
  readonly body: string;
}

export interface RoomInput {
  /** Of the save: undoing that brings back what made room for it. */
  readonly op: string;
  readonly grantId: string;
  /** Hash of the save's idempotency key. */
  readonly key: string | null;
  readonly fingerprint: string;
  readonly limit: number;
  readonly now: number;
  /** The memory that the save supersedes must stay where it is. */
  readonly spared: string | null;
  /** From `placeParameter`: where what is saved has no place, nothing makes room for it. */
  readonly place: string;
  /** Label of the roots of stores, which never make room: their files would answer to nobody. */
  readonly roots: string;
  /** What a memory and its earlier versions have in common. */
  readonly columns: string;
}

/** ?1 user. Both statuses count, and superseded and expired ones too: they are there, can be read and take their place. */
export const MEMORY_COUNT =
  "coalesce((SELECT memories_active + memories_pending FROM accounts WHERE user_id = ?1), 0)";

/** ?1 user. True where a living memory says the same: a save then changes no counter. */
export function hasTwin(fingerprint: string): string {
  return `EXISTS (SELECT 1 FROM memories t WHERE t.user_id = ?1 AND t.fingerprint = ${fingerprint}
    AND t.status IN ('active', 'pending') AND t.superseded_by IS NULL)`;
}

/** ?1 user, ?2 the save. What it put into the trash; it has kept the earlier state of what it supersedes too. */
const MADE_ROOM = `memory_versions v CROSS JOIN memories m ON m.user_id = v.user_id AND m.id = v.id AND m.trashed_op = ?2
  WHERE v.user_id = ?1 AND v.replaced_op = ?2`;
export const HAS_MADE_ROOM = `EXISTS (SELECT 1 FROM ${MADE_ROOM})`;

/**
 * Rows of an index that are looked at; arbitrary. Where more are equally unimportant, the oldest of them are looked at, and the
 * least recently used of these goes: walking all 10,000 for an exact answer would cost every save at the limit as many reads.
 */
const WINDOW = 256;

/** What an order by usefulness needs; `living` 0 for what was superseded or has expired. */
function usefulness(living: 0 | 1): string {
  return `seq, id, ${living} AS living, importance, last_used_at, created_at`;
}

/** ?1 user. Least useful first: superseded and expired ones, then by importance, last use and age. */
function leastUseful(now: string, spared: string, roots: string, limit: number): string {
  const kept = "user_id = ?1 AND status IN ('active', 'pending')";
  const window = (status: string) =>
    `SELECT * FROM (SELECT ${usefulness(1)} FROM memories WHERE user_id = ?1 AND status = '${status}'
      ORDER BY importance, created_at, id LIMIT ${WINDOW})`;
  return `SELECT u.seq FROM (
    SELECT * FROM (SELECT ${usefulness(0)} FROM memories WHERE ${kept} AND superseded_by IS NOT NULL LIMIT ${WINDOW})
    UNION ALL SELECT * FROM (SELECT ${usefulness(0)} FROM memories WHERE ${kept} AND expires_at <= ${now} LIMIT ${WINDOW})
    UNION ALL ${window("active")} UNION ALL ${window("pending")}) u
  WHERE id IS NOT ${spared} AND NOT ${isRoot("u.seq", roots)} GROUP BY seq ORDER BY min(living), importance, last_used_at, created_at, seq LIMIT ${limit}`;
}

function chooseSql(columns: string): string {
  return `INSERT INTO memory_versions (user_id, id, replaced_op, replaced_at, ${columns})
  SELECT user_id, id, ?2, ?7, ${columns} FROM memories WHERE seq = (${leastUseful("?7", "?8", "?10", 1)})
  AND ${isFree("?9")} AND ${MEMORY_COUNT} >= ?6 AND NOT ${hasTwin("?5")} AND ${CLAIMED} ON CONFLICT DO NOTHING`;
}
/** What the save supersedes it changes later; where the batch is run again, both are at later versions. */
const SQL_TRASH = `UPDATE memories SET status = 'trashed', trashed_at = ?3, trashed_op = ?2, changed_op = ?2, updated_at = ?3, version = version + 1
  WHERE user_id = ?1 AND (id, version) IN (SELECT v.id, v.version FROM memory_versions v WHERE v.user_id = ?1 AND v.replaced_op = ?2)`;
const SQL_UNINDEX = `DELETE FROM memories_fts WHERE rowid IN (SELECT m.seq FROM ${MADE_ROOM})`;
const SQL_COUNT = `UPDATE accounts SET memories_active = memories_active - (v.status = 'active'),
    memories_pending = memories_pending - (v.status = 'pending'), memories_trashed = memories_trashed + 1,
    memory_tokens = memory_tokens - iif(v.status = 'active', v.token_count, 0)
  FROM memory_versions v WHERE accounts.user_id = ?1 AND v.user_id = ?1 AND v.replaced_op = ?2
  AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.user_id = ?1 AND o.id = ?2)`;
const SQL_TRASHED = `SELECT m.id, m.body_version AS bodyVersion, hex(m.body) AS body FROM ${MADE_ROOM}`;

/** Moves the least useful memory to the trash, unless there is room or the save will meet a twin. The last one reads which. */
export function roomStatements(
  d1: D1Database,
  userId: string,
  room: RoomInput,
): readonly D1PreparedStatement[] {
  const { op, grantId, key, fingerprint, limit, now, spared, place, roots, columns } = room;
  return [
    d1
      .prepare(chooseSql(columns))
      .bind(userId, op, grantId, key, fingerprint, limit, now, spared, place, roots),
    d1.prepare(SQL_TRASH).bind(userId, op, now),
    d1.prepare(SQL_UNINDEX).bind(userId, op),
    d1.prepare(SQL_COUNT).bind(userId, op),
    d1.prepare(SQL_TRASHED).bind(userId, op),
  ];
}

const MAX_SUGGESTED = 3;
const SQL_LEAST_USEFUL = `SELECT m.id, m.body_version AS bodyVersion, hex(m.body) AS body
  FROM (${leastUseful("?2", "NULL", "?3", MAX_SUGGESTED)}) l CROSS JOIN memories m ON m.seq = l.seq`;

/** Up to three that a person would miss least, those first. @param roots label of the roots of stores, which are none of them */
export async function readLeastUseful(
  d1: D1Database,
  userId: string,
  now: number,
  roots: string,
): Promise<SealedText[]> {
  const { results } = await d1.prepare(SQL_LEAST_USEFUL).bind(userId, now, roots).run<SealedText>();
  return results;
}
