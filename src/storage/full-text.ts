/** What both full-text indexes have in common. */
import { sql, type SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { accounts } from "./schema.ts";
import type { DrizzleD1Database } from "drizzle-orm/d1";

export type IndexName = keyof typeof INDEXES;

const INDEXES = {
  memories: { vocab: sql`memories_vocab`, common: accounts.commonMemoryTerms },
  messages: { vocab: sql`messages_vocab`, common: accounts.commonMessageTerms },
} as const;

/**
 * How many rows hold each token. Tokens differ per user, so the frequencies are this user's own. Words that many rows hold are
 * estimated from the user's sample (`common-terms.ts`), because counting walks a word's whole list of rows. Always asked by
 * `term =`, since anything else would walk the whole index.
 */
export async function readFrequencies(
  db: DrizzleD1Database,
  userId: string,
  { index, tokens }: { readonly index: IndexName; readonly tokens: readonly string[] },
): Promise<Map<string, number>> {
  const { vocab, common } = INDEXES[index];
  // Not a join, which would read the account once for each token.
  const sample = sql`(SELECT ${common} FROM ${accounts} WHERE ${accounts.userId} = ${userId})`;
  const rows = await db
    .select({
      term: sql<string>`j.value`,
      df: sql<
        number | null
      >`coalesce(${sample} ->> ('$."' || j.value || '"'), (SELECT doc FROM ${vocab} WHERE term = j.value))`,
    })
    .from(sql`json_each(${JSON.stringify(tokens)}) j`);
  return new Map(rows.flatMap(({ term, df }) => (df === null ? [] : [[term, df]])));
}

/** Whether a column of blind tokens holds all of none of the groups. */
export function holdsNoneOf(tokens: SQLiteColumn, groups: readonly (readonly string[])[]): SQL {
  return sql`NOT EXISTS (SELECT 1 FROM json_each(${JSON.stringify(groups)}) g
    WHERE NOT EXISTS (SELECT 1 FROM json_each(g.value) t WHERE instr(${tokens}, t.value) = 0))`;
}
