/**
 * Memories of one account as another one has them. A unit is a memory with the version that it was seen at; all that is written of it hangs
 * on that version, so a batch that runs again, or after a change by somebody else, leaves it alone.
 */
import { TOKENIZER_VERSION } from "../search/tokenize.ts";
import { each, packed, runBatch } from "./batch.ts";
import { columnLists, prefixed } from "./columns.ts";
import { findableStatements, type LabelChanges } from "./findable.ts";
import { ROWS_WRITTEN } from "./imports.ts";
import type { MemoryRow, MemoryVersionRow, OperationInput, SealedMemory } from "./memories.ts";
import { memories, memoryVersions } from "./schema.ts";
import { operationStatement, spendStatement, writtenIn, type Expected } from "./sync-batch.ts";

type VersionRow = Omit<MemoryVersionRow, "userId">;

export interface MemoryUnitRows {
  readonly row: SealedMemory & Expected;
  readonly labels: LabelChanges;
  /** The operation of the other account that brought its state of now about. */
  readonly saidBy: string;
  /** States between the one that was there and the new one. */
  readonly between: readonly VersionRow[];
}

/** What a memory that is to be written meets. */
export type MetMemory = Pick<
  MemoryRow,
  | "id"
  | "version"
  | "status"
  | "supersededBy"
  | "lastUsedAt"
  | "createdOp"
  | "changedOp"
  | "bodyVersion"
  | "body"
>;

export interface TakenPlaces {
  readonly fingerprints: ReadonlyMap<string, string>;
  readonly paths: ReadonlyMap<string, string>;
  readonly origins: ReadonlyMap<string, string>;
}

const ALL = columnLists(memories, ["seq", "userId"], "j.value");
const SHARED = columnLists(memories, ["seq", "userId", "id"]);
const VERSION = columnLists(memoryVersions, ["userId"], "j.value");
const SQL_MET = `SELECT m.id, m.version, m.status, m.superseded_by AS supersededBy, m.last_used_at AS lastUsedAt, m.created_op AS createdOp, m.changed_op AS changedOp,
  m.body_version AS bodyVersion, hex(m.body) AS body FROM json_each(?2) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value`;
const SQL_MET_STATEMENTS = `SELECT m.id, m.fingerprint AS taken FROM json_each(?2) j CROSS JOIN memories m ON m.user_id = ?1 AND m.fingerprint = j.value
  AND m.status IN ('active', 'pending') AND m.superseded_by IS NULL`;
const SQL_MET_PATHS = `SELECT m.id, m.path_token AS taken FROM json_each(?2) j CROSS JOIN memories m ON m.user_id = ?1 AND m.path_token = j.value
  AND m.status = 'active'`;
const SQL_MET_ORIGINS = `SELECT m.id, m.origin_key AS taken FROM json_each(?2) j CROSS JOIN memories m ON m.user_id = ?1 AND m.origin_key = j.value`;

// ?1 user, ?2 operation, ?3 time, ?4 rows, each with the version that it is expected at.
const IS_AS_SEEN =
  "(SELECT s.version FROM memories s WHERE s.user_id = ?1 AND s.id = j.value->>'id') IS j.value->>'expected'";
const SQL_COUNT_MEMORIES = `UPDATE operations SET counts = json_set(counts, '$.memories', coalesce(counts->>'$.memories', 0)
  + (SELECT count(*) FROM json_each(?4) j WHERE ${IS_AS_SEEN}
    AND NOT EXISTS (SELECT 1 FROM memories m WHERE m.user_id = ?1 AND m.id = j.value->>'id' AND m.changed_op = ?2)))
  WHERE user_id = ?1 AND id = ?2`;
const SQL_SUMS = `INSERT INTO accounts (user_id, memory_tokenizer, message_tokenizer, memories_active, memories_pending, memories_trashed, memory_tokens, bytes, changes)
  SELECT ?1, ${TOKENIZER_VERSION}, ${TOKENIZER_VERSION}, coalesce(sum((j.value->>'status' = 'active') - coalesce(m.status = 'active', 0)), 0),
    coalesce(sum((j.value->>'status' = 'pending') - coalesce(m.status = 'pending', 0)), 0),
    coalesce(sum((j.value->>'status' = 'trashed') - coalesce(m.status = 'trashed', 0)), 0),
    coalesce(sum(iif(j.value->>'status' = 'active', j.value->>'tokenCount', 0) - iif(m.status = 'active', m.token_count, 0)), 0),
    coalesce(sum((j.value->>'sizeBytes') - coalesce(m.size_bytes, 0)), 0), 1
  FROM json_each(?2) j LEFT JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'id' WHERE m.version IS j.value->>'expected'
  ON CONFLICT (user_id) DO UPDATE SET memories_active = memories_active + excluded.memories_active,
    memories_pending = memories_pending + excluded.memories_pending, memories_trashed = memories_trashed + excluded.memories_trashed,
    memory_tokens = memory_tokens + excluded.memory_tokens, bytes = bytes + excluded.bytes, changes = changes + 1`;
/** The first state that an operation replaced is what its undo brings back; of what the operation itself brought there is none. */
const SQL_KEEP = `INSERT INTO memory_versions (user_id, id, replaced_op, replaced_at, ${SHARED.names})
  SELECT ?1, m.id, iif(m.created_op = ?2, j.value->>'replacedBy', ?2), ?3, ${prefixed("m", SHARED.names)}
  FROM json_each(?4) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'id' AND m.version = j.value->>'expected'
  WHERE true ON CONFLICT DO NOTHING`;
const SQL_BETWEEN = `INSERT INTO memory_versions (user_id, ${VERSION.names}) SELECT ?1, ${VERSION.fromJson}
  FROM json_each(?2) j WHERE ${IS_AS_SEEN} ON CONFLICT DO NOTHING`;
/** Rows that change in one batch may take each other's texts and places. */
const SQL_STEP_ASIDE = `UPDATE memories SET fingerprint = '~' || id, path_token = NULL WHERE seq IN (
  SELECT m.seq FROM json_each(?2) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value->>'id' AND m.version = j.value->>'expected')`;
const SQL_MEMORIES = `INSERT INTO memories (user_id, ${ALL.names}) SELECT ?1, ${ALL.fromJson} FROM json_each(?2) j WHERE ${IS_AS_SEEN}
  ON CONFLICT (user_id, id) DO UPDATE SET ${SHARED.excluded}`;
/** A state whose text was taken out for good, also where it was kept until now. */
const SQL_REDACT = `INSERT INTO memory_versions (user_id, ${VERSION.names}) SELECT ?1, ${VERSION.fromJson} FROM json_each(?2) j
  WHERE EXISTS (SELECT 1 FROM memories m WHERE m.user_id = ?1 AND m.id = j.value->>'id' AND m.version > j.value->>'version')
  ON CONFLICT (user_id, id, version) DO UPDATE SET body = excluded.body, body_version = excluded.body_version, size_bytes = excluded.size_bytes,
    key_version = excluded.key_version, fingerprint = excluded.fingerprint, path_token = NULL, tokens = '', dt = '', token_count = 0
  WHERE memory_versions.dt <> ''`;
const SQL_WRITTEN = `SELECT m.id, m.version FROM json_each(?3) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value AND m.changed_op = ?2`;

export type SyncedMemoryStore = ReturnType<typeof openSyncedMemories>;

export function openSyncedMemories(d1: D1Database, userId: string) {
  return {
    /** What memories that are to be written meet: themselves, and who has their texts, paths and origins. One round trip. */
    async met(
      ids: readonly string[],
      wanted: {
        readonly fingerprints: readonly string[];
        readonly paths: readonly string[];
        readonly origins: readonly string[];
      },
    ): Promise<{ readonly met: MetMemory[]; readonly taken: TakenPlaces }> {
      const [met, ...taken] = await d1.batch(
        (
          [
            [SQL_MET, ids],
            [SQL_MET_STATEMENTS, wanted.fingerprints],
            [SQL_MET_PATHS, wanted.paths],
            [SQL_MET_ORIGINS, wanted.origins],
          ] as const
        ).map(([statement, values]) => d1.prepare(statement).bind(userId, JSON.stringify(values))),
      );
      const [fingerprints, paths, origins] = taken.map(
        // True because these are the columns of the statements.
        ({ results }) =>
          new Map(
            (results as { id: string; taken: string }[]).map(({ id, taken: by }) => [by, id]),
          ),
      );
      return {
        met: (met?.results ?? []) as MetMemory[],
        taken: {
          fingerprints: fingerprints ?? new Map(),
          paths: paths ?? new Map(),
          origins: origins ?? new Map(),
        },
      };
    },

    /** @param redacted earlier states whose text is taken out @returns versions by id of those that this operation wrote, now or before */
    async write(
      units: readonly MemoryUnitRows[],
      redacted: readonly VersionRow[],
      operation: OperationInput,
    ): Promise<Map<string, number>> {
      const { id: op, now } = operation;
      const items = units.map(({ row: { id }, labels }) => ({ id, labels }));
      const between = units.flatMap(({ row: { expected }, between: states }) =>
        states.map((state) => ({ ...state, expected })),
      );
      const kept = units.map(({ row, saidBy, between: [first] }) => ({
        id: row.id,
        expected: row.expected,
        replacedBy: first?.changedOp ?? saidBy,
      }));
      const versions = units.length + between.length + redacted.length;
      const labels = units.reduce((sum, unit) => sum + 2 * unit.labels.add.length, 0);
      const rows = units.map(({ row }) => row);
      const results = await runBatch(d1, [
        operationStatement(d1, userId, operation),
        ...each(kept, [(part) => d1.prepare(SQL_COUNT_MEMORIES).bind(userId, op, now, part)]),
        ...each(rows, [(part) => d1.prepare(SQL_SUMS).bind(userId, part)]),
        ...each(kept, [(part) => d1.prepare(SQL_KEEP).bind(userId, op, now, part)]),
        ...each(between, [(part) => d1.prepare(SQL_BETWEEN).bind(userId, part)]),
        ...each(kept, [(part) => d1.prepare(SQL_STEP_ASIDE).bind(userId, part)]),
        ...each(rows, [(part) => d1.prepare(SQL_MEMORIES).bind(userId, part)]),
        ...each(redacted, [(part) => d1.prepare(SQL_REDACT).bind(userId, part)]),
        ...packed(items, (item) => JSON.stringify(item).length + 1).flatMap((part) =>
          findableStatements(d1, userId, { items: part, op, now }),
        ),
        spendStatement(
          d1,
          now,
          ROWS_WRITTEN.memory * units.length + ROWS_WRITTEN.version * versions + labels,
        ),
        d1.prepare(SQL_WRITTEN).bind(userId, op, JSON.stringify(rows.map(({ id }) => id))),
      ]);
      return writtenIn(results);
    },
  };
}
