/** Pages in which the integrity check walks a table, along an index. */
import { sql, type SQL } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { PAGE_BYTES } from "./export-rows.ts";

/** Values of a row's key, beyond which the next page begins; empty: from the first. */
export type RowKey = readonly (string | number)[];

export interface PageOf {
  readonly after: RowKey;
  readonly limit: number;
}

/** The keys by which each table is walked: those of a unique index, or by a number at the end that is unique itself. */
const ORDERS = {
  labels: ["label"],
  memories: ["id"],
  memory_versions: ["id", "version"],
  memory_labels: ["label", "seq"],
  conversations: ["id"],
  conversation_versions: ["id", "version"],
  messages: ["conversation", "position", "seq"],
  message_versions: ["conversation", "id", "version"],
  operations: ["id"],
} as const;
export type WalkedTable = keyof typeof ORDERS;
/** Those whose rows may be large. */
export type SizedTable = Extract<WalkedTable, "memories" | "messages" | `${string}_versions`>;

/**
 * Condition on rows: those of a page. As many as it may have, or fewer where these are large, because some dozens of the largest size
 * would be more than an isolate can hold. Sizes are added up before any row is read whole.
 */
export function ofPage(userId: string, name: SizedTable, { after, limit }: PageOf): SQL {
  const table = sql.raw(name);
  const keys = sql.raw(ORDERS[name].join(", "));
  return sql`${table}.rowid IN (SELECT w.row FROM (
    SELECT p.row, sum(p.size) OVER (ORDER BY ${keys} ROWS UNBOUNDED PRECEDING) - p.size AS before FROM (
      SELECT t.rowid AS row, ${sql.raw(sizeOf(name, "t"))} AS size, ${keys} FROM ${table} t
      WHERE ${beyond(userId, ORDERS[name], after)} ORDER BY ${keys} LIMIT ${limit}) p) w WHERE w.before < ${PAGE_BYTES})`;
}

/** What reading a row costs, for the page's size. */
export function readBytes(table: SizedTable): SQL<number> {
  return sql.raw(sizeOf(table, table)) as SQL<number>;
}

function sizeOf(table: SizedTable, row: string): string {
  return table === "conversation_versions"
    ? `length(${row}.body)`
    : `length(${row}.body) + length(${row}.tokens)`;
}

/** The key of the first row of a page; null: there is none. Reads nothing else of it. */
export async function firstKeyOf(
  d1: D1Database,
  userId: string,
  { table, after }: { readonly table: WalkedTable; readonly after: RowKey },
): Promise<RowKey | null> {
  const keys = sql.raw(ORDERS[table].join(", "));
  const [row] = await drizzle(d1).all<Record<string, string | number>>(
    sql`SELECT ${keys} FROM ${sql.raw(table)} WHERE ${beyond(userId, ORDERS[table], after)} ORDER BY ${keys} LIMIT 1`,
  );
  return row === undefined ? null : ORDERS[table].map((key) => row[key] ?? "");
}

/** By a row value, which an index can follow. */
function beyond(userId: string, columns: readonly string[], after: RowKey): SQL {
  if (after.length === 0) return sql`user_id = ${userId}`;
  const values = sql.join(
    after.map((value) => sql`${value}`),
    sql`, `,
  );
  return sql`user_id = ${userId} AND (${sql.raw(columns.join(", "))}) > (${values})`;
}
