/**
 * The writes that make what is derived from rows agree with them again. Repairs read the rows anew, or name the version that they were
 * made from; on sound rows they write nothing.
 */
import { SQL_CHANGED } from "./accounts.ts";
import { each, runBatch } from "./batch.ts";
import { isRemoved } from "./conversations.ts";
import { INDEX_MESSAGES } from "./imports.ts";
import type { SealedLabel } from "./memories.ts";
import { CONTEXT_TURNS } from "./message-index.ts";

/** New columns for a memory as it was read. */
export interface MemoryRepair {
  readonly id: string;
  readonly version: number;
  readonly tokens: string;
  readonly dt: string;
  readonly tokenCount: number;
  /** Null: the words are those that were there, of whichever tokeniser. */
  readonly tokenizerVersion: number | null;
  readonly fingerprint: string;
  /** Where another memory has that one. */
  readonly ownFingerprint: string;
  readonly pathToken: string | null;
}

export interface MessageRepair {
  readonly originKey: string;
  readonly version: number;
  readonly tokens: string;
  readonly dt: string;
  readonly speaker: string;
  readonly tokenCount: number;
  /** As of a memory. */
  readonly tokenizerVersion: number | null;
}

export interface MemoryLabels {
  readonly id: string;
  readonly version: number;
  readonly labels: readonly SealedLabel[];
}

const AS_READ =
  "json_each(?2) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'id' AND m.version = j.value->>'version'";
const SQL_MEMORY_COLUMNS = `UPDATE memories SET tokens = j.value->>'tokens', dt = j.value->>'dt', token_count = j.value->>'tokenCount',
  tokenizer_version = coalesce(j.value->>'tokenizerVersion', tokenizer_version), size_bytes = length(body) FROM json_each(?2) j
  WHERE memories.user_id = ?1 AND memories.id = j.value->>'id' AND memories.version = j.value->>'version'`;
/** Where another has it already, the row keeps what it has. */
const repairIdentity = (column: string, key: string) =>
  `UPDATE OR IGNORE memories SET ${column} = j.value->>'${key}' FROM json_each(?2) j WHERE memories.user_id = ?1
  AND memories.id = j.value->>'id' AND memories.version = j.value->>'version' AND memories.${column} IS NOT j.value->>'${key}'`;
const SQL_FINGERPRINTS = repairIdentity("fingerprint", "fingerprint");
const SQL_OWN_FINGERPRINTS = `${repairIdentity("fingerprint", "ownFingerprint")} AND memories.fingerprint <> j.value->>'fingerprint'`;
const SQL_PLACES = repairIdentity("path_token", "pathToken");
const SQL_NOT_PLACED = `SELECT m.id FROM ${AS_READ} WHERE m.path_token IS NOT j.value->>'pathToken'`;
const SQL_UNINDEX_MEMORIES = `DELETE FROM memories_fts WHERE rowid IN (SELECT m.seq FROM json_each(?2) j
  CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'id' WHERE m.status <> 'active')`;
const SQL_INDEX_MEMORIES = `INSERT OR REPLACE INTO memories_fts (rowid, text, dt, ctx) SELECT m.seq, m.tokens, m.dt, ''
  FROM json_each(?2) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'id' WHERE m.status = 'active'`;

const SQL_MISSING_LABELS = `SELECT j.value->>'at' AS at FROM json_each(?2) j
  WHERE NOT EXISTS (SELECT 1 FROM memory_labels l WHERE l.user_id = ?1 AND l.label = j.value->>'label' AND l.seq = j.value->>'seq')
  OR NOT EXISTS (SELECT 1 FROM labels n WHERE n.user_id = ?1 AND n.label = j.value->>'label')`;
const SQL_NAME_LABELS = `INSERT INTO labels (user_id, label, kind, key_version, created_at, body)
  SELECT ?1, l.value->>'label', l.value->>'kind', l.value->>'keyVersion', ?3, unhex(l.value->>'body')
  FROM ${AS_READ} CROSS JOIN json_each(j.value->'labels') l WHERE true ON CONFLICT DO NOTHING RETURNING label`;
const SQL_LABEL = `INSERT INTO memory_labels (user_id, label, seq) SELECT ?1, l.value->>'label', m.seq
  FROM ${AS_READ} CROSS JOIN json_each(j.value->'labels') l WHERE true ON CONFLICT DO NOTHING
  RETURNING label, (SELECT o.id FROM memories o WHERE o.seq = memory_labels.seq) AS id`;
/** Of memories that are gone, or at the version at which they have no such label. */
const SQL_UNLABEL = `DELETE FROM memory_labels WHERE user_id = ?1 AND (label, seq) IN (SELECT j.value->>'label', j.value->>'seq' FROM json_each(?2) j
  WHERE NOT EXISTS (SELECT 1 FROM memories m WHERE m.user_id = ?1 AND m.seq = j.value->>'seq' AND m.version IS NOT j.value->>'version')) RETURNING label, seq`;
const SQL_FORGET_NAMES = `DELETE FROM labels WHERE user_id = ?1 AND label IN (SELECT j.value->>'label' FROM json_each(?2) j
  WHERE unhex(j.value->>'body') = labels.body) RETURNING label`;

const SQL_MESSAGE_COUNTS = `UPDATE conversations SET message_count = (SELECT count(*) FROM messages m WHERE m.user_id = ?1 AND m.conversation = conversations.id)
  WHERE user_id = ?1 AND id IN (SELECT value FROM json_each(?2))`;
const SQL_MESSAGE_COLUMNS = `UPDATE messages SET tokens = j.value->>'tokens', dt = j.value->>'dt', speaker = j.value->>'speaker',
  token_count = j.value->>'tokenCount', tokenizer_version = coalesce(j.value->>'tokenizerVersion', tokenizer_version), size_bytes = length(body) FROM json_each(?2) j
  WHERE messages.user_id = ?1 AND messages.origin_key = j.value->>'originKey' AND messages.version = j.value->>'version'`;
/** Messages, and those around, which have their words as context. */
const NEAR = `SELECT n.seq FROM json_each(?2) j CROSS JOIN messages c ON c.user_id = ?1 AND c.origin_key = j.value
  CROSS JOIN messages n ON n.user_id = ?1 AND n.conversation = c.conversation AND n.position BETWEEN c.position - ${CONTEXT_TURNS} AND c.position + ${CONTEXT_TURNS}`;
const SQL_UNINDEX_MESSAGES = `DELETE FROM messages_fts WHERE rowid IN (SELECT m.seq FROM json_each(?2) j
  CROSS JOIN messages m ON m.user_id = ?1 AND m.origin_key = j.value WHERE ${isRemoved("m")})`;
const SQL_INDEX_MESSAGES = `${INDEX_MESSAGES} FROM messages m WHERE m.seq IN (${NEAR}) AND NOT ${isRemoved("m")}`;

export function openIntegrityRepairs(d1: D1Database, userId: string) {
  const bound = (statement: string, ...values: unknown[]) =>
    d1.prepare(statement).bind(userId, ...values);
  const withRows = (statement: string) => (rows: string) => bound(statement, rows);

  /** Statements that write, which may tell what they did. */
  async function repair(statements: D1PreparedStatement[]): Promise<D1Result[]> {
    return (await runBatch(d1, [bound(SQL_CHANGED), ...statements])).slice(1);
  }

  return {
    /** Columns that follow from the text, and the index entries. @returns ids of files that cannot have their place, because another has it */
    async repairMemories(
      rows: readonly MemoryRepair[],
      entries: readonly string[],
    ): Promise<string[]> {
      const indexed = [...new Set([...entries, ...rows.map(({ id }) => id)])].map((id) => ({ id }));
      const results = await repair([
        ...each(
          rows,
          [SQL_MEMORY_COLUMNS, SQL_FINGERPRINTS, SQL_OWN_FINGERPRINTS, SQL_PLACES].map(withRows),
        ),
        ...each(indexed, [SQL_UNINDEX_MEMORIES, SQL_INDEX_MEMORIES].map(withRows)),
        ...each(
          rows.map(({ id, version, pathToken }) => ({ id, version, pathToken })),
          [withRows(SQL_NOT_PLACED)],
        ),
      ]);
      // True because no other statement returns anything.
      return results.flatMap(({ results: found }) => found as { id: string }[]).map(({ id }) => id);
    },

    /** Which of the labels that memories should have, each with its memory, are missing there, or have no name. */
    async missingLabels<Label extends { readonly label: string; readonly seq: number }>(
      rows: readonly Label[],
    ): Promise<Label[]> {
      const asked = rows.map(({ label, seq }, at) => ({ at, label, seq }));
      const missing = new Set<number>();
      for (const statement of each(asked, [withRows(SQL_MISSING_LABELS)])) {
        const { results } = await statement.run<{ at: number }>();
        for (const { at } of results) missing.add(at);
      }
      return rows.filter((_row, at) => missing.has(at));
    },

    /** Adds what memories lack of labels and their names. @returns what was added: the memory of a label, null for a name */
    async addLabels(rows: readonly MemoryLabels[], now: number): Promise<(string | null)[]> {
      const results = await repair([
        ...each(rows, [(part) => bound(SQL_NAME_LABELS, part, now)]),
        ...each(rows, [withRows(SQL_LABEL)]),
      ]);
      // True because of the others one statement returns the name's label alone, and the other one this column too.
      const added = results.flatMap(({ results: found }) => found as { id?: string }[]);
      return added.map(({ id }) => id ?? null);
    },

    /** @param version null: of a memory that is gone @returns those that were there to be dropped */
    async dropLabels<Label extends { label: string; seq: number; version: number | null }>(
      rows: readonly Label[],
    ): Promise<Label[]> {
      const results = await repair(each(rows, [withRows(SQL_UNLABEL)]));
      // True because the statement returns these columns.
      const dropped = results.flatMap(({ results: of }) => of as { label: string; seq: number }[]);
      const keys = new Set(dropped.map(({ label, seq }) => `${seq} ${label}`));
      return rows.filter(({ label, seq }) => keys.has(`${seq} ${label}`));
    },

    /** Names that say nothing; memories that have the label bring them back. @returns labels of those that were there to be dropped */
    async dropNames(rows: readonly { label: string; body: string }[]): Promise<string[]> {
      const results = await repair(each(rows, [withRows(SQL_FORGET_NAMES)]));
      // True because the statement returns this column.
      const dropped = results.flatMap(({ results: of }) => of as { label: string }[]);
      return dropped.map(({ label }) => label);
    },

    async recountMessages(ids: readonly string[]): Promise<void> {
      await repair([bound(SQL_MESSAGE_COUNTS, JSON.stringify(ids))]);
    },

    /** Columns that follow from the text, and the index entries, by key of origin. */
    async repairMessages(
      rows: readonly MessageRepair[],
      entries: readonly string[],
    ): Promise<void> {
      const keys = JSON.stringify([
        ...new Set([...entries, ...rows.map(({ originKey }) => originKey)]),
      ]);
      await repair([
        ...each(rows, [withRows(SQL_MESSAGE_COLUMNS)]),
        bound(SQL_UNINDEX_MESSAGES, keys),
        bound(SQL_INDEX_MESSAGES, keys),
      ]);
    },
  };
}
