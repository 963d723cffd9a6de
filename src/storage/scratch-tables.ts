/**
 * The rows of a backup in a SQLite database that is thrown away afterwards: columns without a type keep every value as it was given,
 * and a table without row numbers costs one written row a row.
 */
import {
  backupTableNamed,
  linesOf,
  readValue,
  rowChars,
  rowsOf,
  writtenValue,
  type BackupRow,
  type BackupTable,
} from "./backup-tables.ts";
import { packed } from "./batch.ts";
import { REMOVED_FROM } from "./conversations.ts";

export interface ScratchTable {
  readonly name: string;
  /** As the backup lists them. */
  readonly columns: readonly string[];
}

export function createScratchTables(sql: SqlStorage, tables: readonly ScratchTable[]): void {
  for (const { name, columns } of tables) {
    const { order } = asBackedUp({ name, columns });
    sql.exec(
      `CREATE TABLE ${name} (${columns.join(", ")}, PRIMARY KEY (${order.join(", ")})) WITHOUT ROWID`,
    );
  }
}

export function loadScratchRows(sql: SqlStorage, scratch: ScratchTable, lines: string): void {
  const table = asBackedUp(scratch);
  const values = table.columns.map((column) => writtenValue(table, table.columns, column));
  for (const rows of packed(rowsOf(lines), rowChars)) {
    sql.exec(
      `INSERT OR REPLACE INTO ${table.name} (${table.columns.join(", ")})
        SELECT ${values.join(", ")} FROM json_each(?) j`,
      JSON.stringify(rows),
    );
  }
}

/** The lines of `rows` rows in the table's order, as the backup has them. */
export function readScratchRows(
  sql: SqlStorage,
  scratch: ScratchTable,
  place: { readonly after: readonly (string | number)[] | null; readonly rows: number },
): { readonly lines: string; readonly last: (string | number)[] | null } {
  const table = asBackedUp(scratch);
  const { name, columns, order } = table;
  const key = order.map((column) => `t.${column}`).join(", ");
  const after = place.after ?? [];
  const from = after.length === 0 ? "true" : `(${key}) > (${after.map(() => "?").join(", ")})`;
  // True because Cofio's tables hold nothing else, bytes in hex.
  const rows = [
    ...sql
      .exec(
        `SELECT ${columns.map((column) => readValue(table, column)).join(", ")} FROM ${name} t WHERE ${from} ORDER BY ${key} LIMIT ?`,
        ...after,
        place.rows,
      )
      .raw(),
  ] as BackupRow[];
  const end = rows.at(-1);
  return {
    lines: linesOf(rows),
    // True because no column of an order is ever null.
    last:
      end === undefined
        ? null
        : order.map((column) => end[columns.indexOf(column)] as string | number),
  };
}

/** In the scratch database every column is a column. */
function asBackedUp({ name, columns }: ScratchTable): BackupTable {
  return { ...backupTableNamed(name), columns, derived: {} };
}

const LIVING = "status IN ('active', 'pending') AND superseded_by IS NULL";

/** A sealed row is a header of format and key version, an IV and a tag at least (`vault/seal.ts`). */
const SEALED = (versionOf: string) =>
  `length(body) < 30 OR hex(substr(body, 1, 1)) <> '01' OR hex(substr(body, 2, 1)) <> format('%02X', ${versionOf})`;
const BODIES: readonly (readonly [table: string, fault: string])[] = [
  ["memories", `${SEALED("key_version")} OR length(body) <> size_bytes`],
  ["memory_versions", `${SEALED("key_version")} OR length(body) <> size_bytes`],
  ["labels", SEALED("key_version")],
  ["conversations", SEALED("key_version")],
  ["conversation_versions", SEALED("key_version")],
  ["messages", `${SEALED("key_version")} OR length(body) <> size_bytes`],
  ["message_versions", `${SEALED("key_version")} OR length(body) <> size_bytes`],
];
/** Of rows of one moment only: otherwise a later row may meet an earlier one. */
const OF_ONE_MOMENT: readonly (readonly [fault: string, sql: string])[] = [
  ["memories share a text", twins("memories", "fingerprint", LIVING)],
  ["memories share an origin", twins("memories", "origin_key", "origin_key IS NOT NULL")],
  [
    "memories share a path",
    twins("memories", "path_token", "path_token IS NOT NULL AND status = 'active'"),
  ],
  ["conversations share an origin", twins("conversations", "origin_key", "true")],
  ["messages share an origin", twins("messages", "origin_key", "true")],
  [
    "messages have no conversation",
    `SELECT count(*) AS n FROM messages WHERE ltrim(conversation, '${REMOVED_FROM}') NOT IN (SELECT id FROM conversations)`,
  ],
  [
    "conversations count other messages than they have",
    "SELECT count(*) AS n FROM conversations c WHERE message_count <> (SELECT count(*) FROM messages m WHERE m.conversation = c.id)",
  ],
];

/** What would stand against writing the rows back, as sentences. */
export function findFaults(sql: SqlStorage, isSettled: boolean): string[] {
  const checks: (readonly [string, string])[] = [
    ...BODIES.map(
      ([table, fault]) =>
        [
          `bodies of ${table} are not as they were sealed`,
          `SELECT count(*) AS n FROM ${table} WHERE ${fault}`,
        ] as const,
    ),
    ...(isSettled ? OF_ONE_MOMENT : []),
  ];
  return checks.flatMap(([fault, query]) => {
    const { n } = sql.exec<{ n: number }>(query).one();
    return n === 0 ? [] : [`${n} ${fault}.`];
  });
}

function twins(table: string, column: string, condition: string): string {
  return `SELECT count(*) AS n FROM (SELECT 1 FROM ${table} WHERE ${condition} GROUP BY ${column} HAVING count(*) > 1)`;
}
