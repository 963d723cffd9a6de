/**
 * The tables that a backup holds, and how a row stands in it: as one JSON array of the values of its columns, bytes in hex. No key
 * is needed for that, and a row that was read and written again is the same in every bit.
 */
import { getTableColumns, getTableName } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import {
  accounts,
  conversations,
  conversationVersions,
  labels,
  memories,
  memoryLabels,
  memoryVersions,
  messages,
  messageVersions,
  operations,
} from "./schema.ts";

export type BackupValue = string | number | null;
export type BackupRow = readonly BackupValue[];

export interface BackupTable {
  readonly name: string;
  /** Without the user, who is the same in all rows. */
  readonly columns: readonly string[];
  readonly blobs: ReadonlySet<string>;
  /** By which it is read page by page, along an index; unique. */
  readonly order: readonly string[];
  /** Columns of its own by which one row is told from another. */
  readonly key: readonly string[];
  /** The same in another database, where numbers of rows may differ. */
  readonly identity: readonly string[];
  /** Columns that the table itself has not, in SQL over `t`. */
  readonly derived: Readonly<Record<string, string>>;
}

/** What is about the rows of a moment, while a restore may take them from different ones; the next import and the next check find it out again. */
const LEFT_OUT: ReadonlySet<string> = new Set(["digest", "integrity"]);

const BY_ID = { order: ["id"] };
const BY_VERSION = { order: ["id", "version"] };

/** What others refer to comes first: in this order rows are written back. */
export const BACKUP_TABLES: readonly BackupTable[] = [
  // The one table in which the user is the key.
  backupTable(accounts, { order: ["user_id"] }),
  backupTable(operations, BY_ID),
  backupTable(labels, { order: ["label"] }),
  backupTable(memories, BY_ID),
  backupTable(memoryVersions, BY_VERSION),
  backupTable(memoryLabels, {
    order: ["label", "seq"],
    identity: ["label", "memory"],
    // A number of a row says nothing in a database where it is taken.
    derived: {
      memory: "(SELECT m.id FROM memories m WHERE m.seq = t.seq)",
      memory_version: "(SELECT m.version FROM memories m WHERE m.seq = t.seq)",
    },
  }),
  backupTable(conversations, BY_ID),
  backupTable(conversationVersions, BY_VERSION),
  // Conversation by conversation, so that a message is written back near its neighbours, whose words its index entry holds.
  backupTable(messages, { order: ["conversation", "position", "seq"], key: ["origin_key"] }),
  backupTable(messageVersions, { order: ["conversation", "id", "version"] }),
];

export function backupTableNamed(name: string): BackupTable {
  const table = BACKUP_TABLES.find((known) => known.name === name);
  if (table === undefined) throw new Error("A backup holds no such table");
  return table;
}

function backupTable(
  table: SQLiteTable,
  keys: Pick<BackupTable, "order"> & Partial<Pick<BackupTable, "key" | "identity" | "derived">>,
): BackupTable {
  const { order, key = order, identity = key, derived = {} } = keys;
  const columns = Object.values(getTableColumns(table)).filter(
    ({ name }) => !LEFT_OUT.has(name) && (name !== "user_id" || order.includes(name)),
  );
  return {
    name: getTableName(table),
    columns: [...columns.map(({ name }) => name), ...Object.keys(derived)],
    blobs: new Set(columns.filter(({ dataType }) => dataType === "buffer").map(({ name }) => name)),
    order,
    key,
    identity,
    derived,
  };
}

/** The value of a column of `t` as it stands in a backup. */
export function readValue({ blobs, derived }: BackupTable, column: string): string {
  if (blobs.has(column)) return `iif(t.${column} IS NULL, NULL, hex(t.${column}))`;
  return derived[column] ?? `t.${column}`;
}

/** The value of a column out of a row of a backup, `j.value`. @param columns as the backup lists them */
export function writtenValue(
  { blobs }: BackupTable,
  columns: readonly string[],
  column: string,
): string {
  const value = `j.value->>${columns.indexOf(column)}`;
  return blobs.has(column) ? `unhex(${value})` : value;
}

/** One row a line. */
export function linesOf(rows: readonly BackupRow[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

export function rowsOf(lines: string): BackupRow[] {
  // True of text that `linesOf` made, which its hash says it is.
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as BackupRow);
}

/** Characters of a row as JSON, for `packed`. */
export function rowChars(row: BackupRow): number {
  return JSON.stringify(row).length + 1;
}
