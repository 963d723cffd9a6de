/**
 * Writing the rows of a backup back. Two passes: `removeOthers` takes away what is not as the backup has it (only a whole restore),
 * `insertMissing` writes what is not there. Each batch is atomic and finds nothing to do when it runs again, so a restore that was
 * interrupted is finished by running it again. Index entries are made from the rows' own tokens: no key is needed.
 */
import { drizzle } from "drizzle-orm/d1";
import {
  backupTableNamed,
  rowChars,
  writtenValue,
  type BackupRow,
  type BackupTable,
  type BackupValue,
} from "./backup-tables.ts";
import { SQL_CHANGED } from "./accounts.ts";
import { packed, runBatch } from "./batch.ts";
import { prefixed } from "./columns.ts";
import { isRemoved, REMOVED_FROM } from "./conversations.ts";
import { SQL_REINDEX } from "./imports.ts";
import type { OperationInput } from "./memories.ts";
import { CONTEXT_TURNS } from "./message-index.ts";
import { operations } from "./schema.ts";
import { SUMS } from "./sums.ts";

/** A table as a backup has it: an older one may lack columns, which then get their defaults. */
export interface RestoredTable {
  readonly name: string;
  readonly columns: readonly string[];
}

/** Rows of a table between two keys in its order, both of the backup; null: from the first, to the last. */
export interface RowRange {
  readonly after: readonly (string | number)[] | null;
  readonly upTo: readonly (string | number)[] | null;
}

/**
 * `same_text`, `same_origin`, `same_path`: another row that is there has what only one may have. `nothing_to_belong_to`: its memory,
 * conversation or message is not there. `not_earlier`: what it belongs to is at that version or before it, so it is no earlier state.
 * `changed_since`: tags of a memory that has changed.
 */
export type SkipReason =
  | "same_text"
  | "same_origin"
  | "same_path"
  | "nothing_to_belong_to"
  | "not_earlier"
  | "changed_since";

export interface InsertedRows {
  readonly inserted: number;
  readonly skipped: readonly { readonly reason: SkipReason; readonly count: number }[];
}

/** Rows that one removal takes away: with their index entries far below what a statement may take. Arbitrary. */
const REMOVED_AT_ONCE = 1_000;

/** What the SQL of one table needs. */
interface Plan extends RestoredTable {
  readonly table: BackupTable;
  /** The value of a column out of a row of the backup, `j.value`. */
  readonly value: (column: string) => string;
}

type RowOf = (value: Plan["value"]) => string;

const LIVING = "status IN ('active', 'pending') AND superseded_by IS NULL";
const isLiving: RowOf = (value) =>
  `${value("status")} IN ('active', 'pending') AND ${value("superseded_by")} IS NULL`;
const ownerExists =
  (table: "memories" | "conversations", comparison: string): RowOf =>
  (value) =>
    `EXISTS (SELECT 1 FROM ${table} o WHERE o.user_id = ?1 AND o.id = ${value("id")} ${comparison})`;
const ownsVersion = (table: "memories" | "conversations") => ({
  fits: (value: Plan["value"]) => ownerExists(table, `AND o.version > ${value("version")}`)(value),
  reason: (value: Plan["value"]) =>
    `iif(${ownerExists(table, "")(value)}, 'not_earlier', 'nothing_to_belong_to')`,
});
/** Also of a message that an undo took out of it. */
const conversationOf: RowOf = (value) => `ltrim(${value("conversation")}, '${REMOVED_FROM}')`;
/** Of all messages of the conversations that the rows name, read once: a message is found through its conversation. */
const withMessages = ({ value }: Plan) =>
  `WITH here AS MATERIALIZED (SELECT d.conversation, m.id, m.version FROM (SELECT DISTINCT ${conversationOf(value)} AS conversation FROM json_each(?2) j) d
    CROSS JOIN messages m ON m.user_id = ?1 AND m.conversation IN (d.conversation, '${REMOVED_FROM}' || d.conversation))`;

/** What a row must meet to come back, and why it did not. Others meet nothing. */
const RULES: Readonly<Record<string, { readonly fits: RowOf; readonly reason: RowOf }>> = {
  memories: {
    fits: () => "true",
    reason: (value) => `CASE
      WHEN ${isLiving(value)} AND EXISTS (SELECT 1 FROM memories o WHERE o.user_id = ?1 AND o.fingerprint = ${value("fingerprint")} AND ${LIVING}) THEN 'same_text'
      WHEN EXISTS (SELECT 1 FROM memories o WHERE o.user_id = ?1 AND o.origin_key = ${value("origin_key")}) THEN 'same_origin' ELSE 'same_path' END`,
  },
  memory_versions: ownsVersion("memories"),
  memory_labels: { fits: () => "true", reason: () => "'changed_since'" },
  conversations: { fits: () => "true", reason: () => "'same_origin'" },
  conversation_versions: ownsVersion("conversations"),
  messages: {
    fits: (value) =>
      `EXISTS (SELECT 1 FROM conversations o WHERE o.user_id = ?1 AND o.id = ${conversationOf(value)})`,
    reason: () => "'nothing_to_belong_to'",
  },
  message_versions: {
    fits: (value) =>
      `EXISTS (SELECT 1 FROM here h WHERE h.conversation = ${conversationOf(value)} AND h.id = ${value("id")} AND h.version > ${value("version")})`,
    reason: (value) =>
      `iif(EXISTS (SELECT 1 FROM here h WHERE h.conversation = ${conversationOf(value)} AND h.id = ${value("id")}), 'not_earlier', 'nothing_to_belong_to')`,
  },
};

const SQL_KEYS_NEAR = `SELECT DISTINCT n.origin_key FROM json_each(?2) j CROSS JOIN messages n ON n.user_id = ?1 AND n.conversation = j.value->>0
  AND n.position BETWEEN j.value->>1 - ${CONTEXT_TURNS} AND j.value->>1 + ${CONTEXT_TURNS}`;
/** Of rows that have no entry, the restored ones among them. */
const SQL_INDEX_MEMORIES = `INSERT OR REPLACE INTO memories_fts (rowid, text, dt, ctx)
  SELECT m.seq, m.tokens, m.dt, '' FROM json_each(?2) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = j.value
  WHERE m.status = 'active' AND NOT EXISTS (SELECT 1 FROM memories_fts_docsize d WHERE d.id = m.seq)`;
const SQL_UNINDEXED_MESSAGES = `SELECT m.origin_key FROM json_each(?2) j CROSS JOIN messages m ON m.user_id = ?1 AND m.origin_key = j.value
  WHERE NOT ${isRemoved("m")} AND NOT EXISTS (SELECT 1 FROM messages_fts_docsize d WHERE d.id = m.seq)`;
const SQL_COUNT_MESSAGES = `UPDATE conversations SET message_count = (SELECT count(*) FROM messages m WHERE m.user_id = ?1 AND m.conversation = conversations.id)
  WHERE user_id = ?1 AND message_count <> (SELECT count(*) FROM messages m WHERE m.user_id = ?1 AND m.conversation = conversations.id)`;
/** Sums as they are kept by every write: bytes of all memories, and of the messages of active conversations. */
export const SQL_COUNT = `INSERT INTO accounts (user_id, memories_active, memories_pending, memories_trashed, memory_tokens, memory_tokenizer, conversations, conversations_trashed, messages, message_tokens, message_tokenizer, bytes)
  SELECT ?1, mem.active, mem.pending, mem.trashed, mem.tokens, mem.tokenizer, con.active, con.trashed, msg.n, msg.tokens, msg.tokenizer, mem.bytes + msg.bytes FROM ${SUMS}
  WHERE true ON CONFLICT (user_id) DO UPDATE SET memories_active = excluded.memories_active, memories_pending = excluded.memories_pending,
    memories_trashed = excluded.memories_trashed, memory_tokens = excluded.memory_tokens, memory_tokenizer = min(memory_tokenizer, excluded.memory_tokenizer),
    conversations = excluded.conversations, conversations_trashed = excluded.conversations_trashed, messages = excluded.messages, message_tokens = excluded.message_tokens,
    message_tokenizer = min(message_tokenizer, excluded.message_tokenizer), bytes = excluded.bytes, changes = changes + 1`;
/** What of an account's row is neither counted again nor about backups and exports. */
const RULE_COLUMNS = ["rules", "rule_words"];
const SAMPLE_COLUMNS = [
  "common_memory_terms",
  "common_message_terms",
  "memories_sampled",
  "messages_sampled",
];
/** What they had imported is taken away: the same files are to be imported from the beginning, and no batch of theirs goes on. */
const SQL_FORGET_IMPORTS = `UPDATE jobs SET state = 'cancelled', upload_key = NULL WHERE user_id = ?1 AND kind = 'import'
  AND state IN ('created', 'running', 'waiting_quota', 'cancelled') AND (state <> 'cancelled' OR upload_key IS NOT NULL)`;
/** A key that was used says which operation answers it. */
const SQL_FORGET_KEYS = `DELETE FROM idempotency WHERE user_id = ?1
  AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.user_id = ?1 AND o.id = idempotency.op)`;

/** ?2 conversations whose messages come or go under them: whether an import would find them unchanged nobody knows. */
const SQL_FORGET_DIGESTS = ["conversations", "conversation_versions"].map(
  (table) => `UPDATE ${table} SET digest = NULL WHERE user_id = ?1 AND digest IS NOT NULL
  AND id IN (SELECT ltrim(value, '${REMOVED_FROM}') FROM json_each(?2))`,
);

export type BackupRestoreStore = ReturnType<typeof openBackupRestore>;

export function openBackupRestore(d1: D1Database, userId: string) {
  const db = drizzle(d1);

  async function select(query: string, ...values: unknown[]): Promise<BackupValue[][]> {
    return d1
      .prepare(query)
      .bind(userId, ...values)
      .raw<BackupValue[]>();
  }

  /** Messages whose index entries hold words of these places. */
  async function keysNear(places: readonly BackupRow[]): Promise<BackupValue[]> {
    if (places.length === 0) return [];
    return (await select(SQL_KEYS_NEAR, JSON.stringify(places))).map(([key]) => key ?? null);
  }

  async function identical(plan: Plan, rows: readonly BackupRow[]): Promise<BackupValue[][]> {
    const found: BackupValue[][] = [];
    for (const part of packed(rows, rowChars)) {
      found.push(...(await select(identicalSql(plan), JSON.stringify(part))));
    }
    return found;
  }

  /** @param absent those of the rows that are about to be written */
  async function indexing(
    { name, columns }: Plan,
    rows: readonly BackupRow[],
    absent: readonly BackupRow[],
  ): Promise<D1PreparedStatement[]> {
    const valueOf = (column: string) => (row: BackupRow) => row[columns.indexOf(column)] ?? null;
    if (name === "memories" && rows.length > 0) {
      const ids = JSON.stringify(rows.map(valueOf("id")));
      return [d1.prepare(SQL_INDEX_MEMORIES).bind(userId, ids)];
    }
    if (name !== "messages") return [];
    const [conversation, position] = [valueOf("conversation"), valueOf("position")];
    // What an undo took out of its conversation has no entry.
    const isIn = (row: BackupRow) => !String(conversation(row)).startsWith(REMOVED_FROM);
    const keysOf = (of: readonly BackupRow[]) => of.filter(isIn).map(valueOf("origin_key"));
    const lost = await select(SQL_UNINDEXED_MESSAGES, JSON.stringify(keysOf(rows)));
    const keys = new Set([
      ...lost.flat(),
      ...keysOf(absent),
      // Neighbours that are there already: their context grows.
      ...(await keysNear(absent.filter(isIn).map((row) => [conversation(row), position(row)]))),
    ]);
    return keys.size === 0 ? [] : [d1.prepare(SQL_REINDEX).bind(userId, JSON.stringify([...keys]))];
  }

  return {
    /** The restore's own row: whatever else it changes belongs to it. */
    async begin({ id, grantId, client, now }: OperationInput, jobId: string): Promise<void> {
      await db
        .insert(operations)
        .values({
          userId,
          id,
          kind: "restore",
          grantId,
          client,
          createdAt: now,
          counts: "{}",
          undoesOp: null,
          subject: jobId,
        })
        .onConflictDoNothing();
    },

    /**
     * Takes away rows of the range that are not as the backup has them, except the operation `spared`.
     * @param rows all of the range @returns whether there is more to take away
     */
    async removeOthers(
      restored: RestoredTable,
      {
        range,
        rows,
        spared,
      }: { readonly range: RowRange; readonly rows: readonly BackupRow[]; readonly spared: string },
    ): Promise<boolean> {
      const plan = planOf(restored);
      const { table } = plan;
      const kept: BackupValue[][] = await identical(plan, rows);
      if (table.name === "operations") kept.push([spared]);
      const keptJson = JSON.stringify(kept);
      const bounds = [...(range.after ?? []), ...(range.upTo ?? [])];
      const doomed = doomedSql(table, range);
      if (table.name === "messages") {
        const found = await select(
          doomed("t.seq, t.conversation, t.position"),
          keptJson,
          ...bounds,
        );
        if (found.length === 0) return false;
        const places = found.map(([, ...place]) => place);
        const emptied = JSON.stringify(places.map(([conversation]) => conversation));
        const near = JSON.stringify(await keysNear(places));
        const numbers = JSON.stringify(found.map(([seq]) => seq));
        await runBatch(d1, [
          d1
            .prepare("DELETE FROM messages_fts WHERE rowid IN (SELECT value FROM json_each(?1))")
            .bind(numbers),
          d1
            .prepare(
              "DELETE FROM messages WHERE user_id = ?1 AND seq IN (SELECT value FROM json_each(?2))",
            )
            .bind(userId, numbers),
          ...SQL_FORGET_DIGESTS.map((sql) => d1.prepare(sql).bind(userId, emptied)),
          // Those that are left: their context changed.
          d1.prepare(SQL_REINDEX).bind(userId, near),
          d1.prepare(SQL_CHANGED).bind(userId),
        ]);
        return found.length === REMOVED_AT_ONCE;
      }
      const values = [userId, keptJson, ...bounds];
      const results = await runBatch(d1, [
        d1.prepare(SQL_CHANGED).bind(userId),
        ...(table.name === "memories"
          ? [
              d1
                .prepare(`DELETE FROM memories_fts WHERE rowid IN (${doomed("t.seq")})`)
                .bind(...values),
            ]
          : []),
        d1
          .prepare(
            `DELETE FROM ${table.name} WHERE user_id = ?1 AND (${table.key.join(", ")}) IN (${doomed(prefixed("t", table.key.join(", ")))}) RETURNING 1`,
          )
          .bind(...values),
      ]);
      return results.at(-1)?.results.length === REMOVED_AT_ONCE;
    },

    /** Writes the rows that are not there, as they were, and the index entries that are missing. */
    async insertMissing(
      restored: RestoredTable,
      rows: readonly BackupRow[],
    ): Promise<InsertedRows> {
      const plan = planOf(restored);
      const { table, columns } = plan;
      const at = table.identity.map((column) => columns.indexOf(column));
      const identities = rows.map((row) => at.map((column) => row[column] ?? null));
      const places = await select(absentSql(table), JSON.stringify(identities));
      const absent = places
        .map(([place]) => rows[Number(place)])
        .filter((row) => row !== undefined);
      const parts = packed(absent, rowChars).map((part) => JSON.stringify(part));
      const statements = [
        ...parts.flatMap((part) =>
          insertSql(plan).map((statement) => d1.prepare(statement).bind(userId, part)),
        ),
        ...(await indexing(plan, rows, absent)),
        ...(table.name === "messages" && absent.length > 0
          ? SQL_FORGET_DIGESTS.map((sql) =>
              d1.prepare(sql).bind(userId, conversationsOf(plan, absent)),
            )
          : []),
      ];
      if (statements.length > 0) {
        await runBatch(d1, [...statements, d1.prepare(SQL_CHANGED).bind(userId)]);
      }
      const skipped = new Map<SkipReason, number>();
      for (const part of parts) {
        for (const [reason, count] of await select(skippedSql(plan), part)) {
          // True because the statement gives no other reasons, each with its count.
          const key = reason as SkipReason;
          skipped.set(key, (skipped.get(key) ?? 0) + Number(count));
        }
      }
      const left = [...skipped.values()].reduce((sum, count) => sum + count, 0);
      return {
        inserted: absent.length - left,
        skipped: [...skipped].map(([reason, count]) => ({ reason, count })),
      };
    },

    /** The account's own columns as the backup has them; without a row they are as of an account that holds nothing. */
    async restoreAccount(
      restored: RestoredTable,
      row: BackupRow | null,
      { keepsRules }: { readonly keepsRules: boolean },
    ): Promise<void> {
      const plan = planOf(restored);
      const own = keepsRules ? SAMPLE_COLUMNS : [...RULE_COLUMNS, ...SAMPLE_COLUMNS];
      const columns = own.filter((column) => restored.columns.includes(column));
      const assigned = columns.map((column) =>
        row === null && isCount(column) ? `${column} = 0` : `${column} = ${plan.value(column)}`,
      );
      const json = JSON.stringify([row ?? restored.columns.map(() => null)]);
      await d1
        .prepare(
          `UPDATE accounts SET ${assigned.join(", ")}, changes = changes + 1 FROM json_each(?2) j WHERE user_id = ?1`,
        )
        .bind(userId, json)
        .run();
    },

    async forgetImports(): Promise<void> {
      await d1.prepare(SQL_FORGET_IMPORTS).bind(userId).run();
    },

    /** Everything that is summed up from other rows. */
    async recount(op: string, counts: Readonly<Record<string, number>>): Promise<void> {
      await runBatch(d1, [
        d1.prepare(SQL_COUNT_MESSAGES).bind(userId),
        d1.prepare(SQL_COUNT).bind(userId),
        d1.prepare(SQL_FORGET_KEYS).bind(userId),
        d1
          .prepare("UPDATE operations SET counts = ?3 WHERE user_id = ?1 AND id = ?2")
          .bind(userId, op, JSON.stringify(counts)),
      ]);
    },
  };
}

/** Columns that this version does not know: a later one wrote the backup. @param tables as its manifest lists them */
export function unknownColumns(tables: readonly RestoredTable[]): string[] {
  return tables.flatMap(({ name, columns }) => {
    const known = backupTableNamed(name).columns;
    return columns.filter((column) => !known.includes(column)).map((column) => `${name}.${column}`);
  });
}

/** JSON. */
function conversationsOf({ columns }: Plan, rows: readonly BackupRow[]): string {
  const at = columns.indexOf("conversation");
  return JSON.stringify([...new Set(rows.map((row) => row[at] ?? null))]);
}

function planOf({ name, columns }: RestoredTable): Plan {
  const table = backupTableNamed(name);
  return { name, columns, table, value: (column) => writtenValue(table, columns, column) };
}

function isCount(column: string): boolean {
  return column.endsWith("_sampled") || column.endsWith("_trashed");
}

/** Keys of the rows that are as the backup has them. ?2 rows */
function identicalSql({ table, columns, value }: Plan): string {
  const { name, key, derived } = table;
  // The number of a memory or message may be another one in another database.
  const compared = columns.filter((column) => column !== "seq" || key.includes(column));
  return `SELECT ${prefixed("t", key.join(", "))} FROM json_each(?2) j CROSS JOIN ${name} t ON t.user_id = ?1
    AND ${key.map((column) => `t.${column} = ${value(column)}`).join(" AND ")}
    WHERE ${compared.map((column) => `${derived[column] ?? `t.${column}`} IS ${value(column)}`).join(" AND ")}`;
}

/** Rows of a range that are none of those. ?2 kept keys, ?3… bounds */
function doomedSql(
  { name, order, key }: BackupTable,
  { after, upTo }: RowRange,
): (selected: string) => string {
  const place = prefixed("t", order.join(", "));
  const bound = (comparison: string, first: number) =>
    `AND (${place}) ${comparison} (${order.map((_column, index) => `?${first + index}`).join(", ")})`;
  return (selected) => `SELECT ${selected} FROM ${name} t WHERE t.user_id = ?1
    ${after === null ? "" : bound(">", 3)} ${upTo === null ? "" : bound("<=", 3 + (after?.length ?? 0))}
    AND (${prefixed("t", key.join(", "))}) NOT IN (SELECT ${key.map((_column, index) => `k.value->>${index}`).join(", ")} FROM json_each(?2) k)
    ORDER BY ${place} LIMIT ${REMOVED_AT_ONCE}`;
}

/** Places in ?2, a list of identities, of those that no row has. */
function absentSql(table: BackupTable): string {
  return `SELECT j.key FROM json_each(?2) j WHERE NOT EXISTS (${presentSql(table, (_column, index) => `j.value->>${index}`)})`;
}

function presentSql(
  { name, identity }: BackupTable,
  value: (column: string, index: number) => string,
): string {
  if (name === "memory_labels") {
    return `SELECT 1 FROM memories m CROSS JOIN memory_labels t ON t.user_id = ?1 AND t.label = ${value("label", 0)} AND t.seq = m.seq
      WHERE m.user_id = ?1 AND m.id = ${value("memory", 1)}`;
  }
  return `SELECT 1 FROM ${name} t WHERE t.user_id = ?1 AND ${identity.map((column, index) => `t.${column} = ${value(column, index)}`).join(" AND ")}`;
}

/** ?2 rows. What stands against a constraint stays away, and is counted afterwards. */
function insertSql(plan: Plan): string[] {
  const { table, columns, value, name } = plan;
  if (name === "memory_labels") {
    return [
      `INSERT INTO memory_labels (user_id, label, seq) SELECT ?1, ${value("label")}, m.seq
        FROM json_each(?2) j CROSS JOIN memories m ON m.user_id = ?1 AND m.id = ${value("memory")} AND m.version = ${value("memory_version")}
        WHERE true ON CONFLICT DO NOTHING`,
    ];
  }
  const rule = RULES[name];
  const insert = (
    into: readonly string[],
    condition: string,
  ) => `${name === "message_versions" ? withMessages(plan) : ""} INSERT INTO ${name} (user_id, ${into.join(", ")})
    SELECT ?1, ${into.map(value).join(", ")} FROM json_each(?2) j WHERE ${condition} ON CONFLICT DO NOTHING`;
  const fits = rule?.fits(value) ?? "true";
  const own = columns.filter((column) => column !== "user_id");
  if (!own.includes("seq")) return [insert(own, fits)];
  // A row keeps its number. Where another row has it (in another database than the backup's), it gets the next one.
  return [
    insert(own, fits),
    insert(
      own.filter((column) => column !== "seq"),
      `${fits} AND NOT EXISTS (${presentSql(table, value)})`,
    ),
  ];
}

/** Of rows that are still not there, how many for each reason. ?2 rows */
function skippedSql(plan: Plan): string {
  const { table, value, name } = plan;
  const reason = RULES[name]?.reason(value) ?? "'same_origin'";
  return `${name === "message_versions" ? withMessages(plan) : ""} SELECT ${reason} AS reason, count(*) FROM json_each(?2) j
    WHERE NOT EXISTS (${presentSql(table, value)}) GROUP BY reason`;
}
