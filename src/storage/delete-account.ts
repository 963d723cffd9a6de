/**
 * Deleting an account, when its days of grace are over. First what opens it: the wrapped key, without which no row and no file can be read
 * again, and every way of signing in. Then, part by part, the rows of every table that has a user, their index entries, and the files.
 * Each statement takes what is there when it runs, so a part that was interrupted is simply done again. No key is needed.
 */
import { getTableColumns, getTableName, is } from "drizzle-orm";
import { getTableConfig, SQLiteTable } from "drizzle-orm/sqlite-core";
import { runBatch } from "./batch.ts";
import type { Plan } from "./plan.ts";
import * as schema from "./schema.ts";

/** Tables without a user: what imports have written on a day, of all users; and challenges of sign-in, which go by what they say. */
const NOBODYS: readonly SQLiteTable[] = [
  schema.importDays,
  schema.registrationDays,
  schema.authVerification,
];
/** Tables in which a user is a row. */
const BY_ID: readonly SQLiteTable[] = [schema.users, schema.authUser];
/** Their row ids are the `seq` of the rows. */
const INDEXES: Readonly<Record<string, string>> = {
  memories: "memories_fts",
  messages: "messages_fts",
};

/** Every table of the schema with rows of one user, whenever it was added. */
const TABLES = Object.values(schema)
  .filter((value) => is(value, SQLiteTable))
  .filter((table) => !NOBODYS.includes(table))
  .map((table) => ({
    name: getTableName(table),
    user: BY_ID.includes(table) ? "id" : userColumnOf(table),
    /** By which a statement names the rows that it takes. */
    key: keyOf(table),
    opensAccount: BY_ID.includes(table) || getTableName(table).startsWith("auth_"),
  }));

const SQL_FORGET_CHALLENGES = "DELETE FROM auth_verification WHERE instr(value, ?1) > 0";

/** From now on nobody opens the account: not its owner, no client, and no scheduled call. */
export async function closeAccount(d1: D1Database, userId: string): Promise<void> {
  await runBatch(d1, [
    ...TABLES.filter(({ opensAccount }) => opensAccount).map(({ name, user }) =>
      d1.prepare(`DELETE FROM ${name} WHERE ${user} = ?1`).bind(userId),
    ),
    d1.prepare(SQL_FORGET_CHALLENGES).bind(userId),
  ]);
}

/** Deletes as many rows as the plan lets the trash be emptied of in one go. @returns whether there is none left */
export async function deleteRows(
  d1: D1Database,
  userId: string,
  { trashPart: part }: Pick<Plan, "trashPart">,
): Promise<boolean> {
  for (const table of TABLES) {
    const limit = table.name === "memories" ? part.memories : part.messages;
    if ((await deleteSome(d1, userId, { ...table, limit })) >= limit) return false;
  }
  return true;
}

async function deleteSome(
  d1: D1Database,
  userId: string,
  { name, user, key, limit }: (typeof TABLES)[number] & { readonly limit: number },
): Promise<number> {
  const some = `SELECT ${key} FROM ${name} WHERE ${user} = ?1 LIMIT ${limit}`;
  const index = INDEXES[name];
  if (index === undefined) {
    const [deleted] = await runBatch(d1, [
      d1.prepare(`DELETE FROM ${name} WHERE (${key}) IN (${some})`).bind(userId),
    ]);
    return deleted?.meta.changes ?? 0;
  }
  // Read first: both statements are to take the same rows, and a sorted choice would read all of the user's each time.
  const { results } = await d1.prepare(some).bind(userId).run<{ seq: number }>();
  const rows = JSON.stringify(results.map(({ seq }) => seq));
  await runBatch(
    d1,
    [index, name].map((from) =>
      d1.prepare(`DELETE FROM ${from} WHERE rowid IN (SELECT value FROM json_each(?1))`).bind(rows),
    ),
  );
  return results.length;
}

/** Archives and backups, a thousand objects a page. @returns whether there is none left */
export async function deleteFiles(
  bucket: R2Bucket,
  userId: string,
  { stepSize }: Pick<Plan, "stepSize">,
): Promise<boolean> {
  for (const prefix of [`archives/${userId}/`, `backups/${userId}/`]) {
    for (let page = 0; ; page++) {
      const { objects, truncated } = await bucket.list({ prefix });
      if (objects.length > 0) await bucket.delete(objects.map(({ key }) => key));
      if (!truncated) break;
      if (page === PAGES * stepSize) return false;
    }
  }
  return true;
}

/** What the OAuth library keeps of a user: grants, and hashes of tokens. @returns whether there is none left */
export async function deleteOAuthGrants(kv: KVNamespace, userId: string): Promise<boolean> {
  for (const prefix of [`token:${userId}:`, `grant:${userId}:`]) {
    const page = await kv.list({ prefix, limit: KV_KEYS });
    await Promise.all(page.keys.map(({ name }) => kv.delete(name)));
    if (!page.list_complete) return false;
  }
  return true;
}

/** Of a step: two requests each, and 50 are what the free plan allows beside its statements. */
const PAGES = 4;
/** Of each kind. */
const KV_KEYS = 10;

function userColumnOf(table: SQLiteTable): string {
  const column = Object.values(getTableColumns(table)).find(({ name }) => name === "user_id");
  if (column !== undefined) return column.name;
  throw new Error(`${getTableName(table)} has no user: delete-account.ts is to know what goes`);
}

/** Tables with a key of several columns have no row ids. */
function keyOf(table: SQLiteTable): string {
  const [key] = getTableConfig(table).primaryKeys;
  const name = getTableName(table);
  if (name in INDEXES) return "seq";
  return key === undefined ? "rowid" : key.columns.map(({ name }) => name).join(", ");
}
