/** What both full-text indexes have in common. */
import { sql, type SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { SMALL } from "../search/clauses.ts";
import { accounts } from "./schema.ts";
import type { DrizzleD1Database } from "drizzle-orm/d1";

export type IndexName = keyof typeof INDEXES;

const INDEXES = {
  memories: { vocab: sql`memories_vocab`, common: accounts.commonMemoryTerms },
  messages: { vocab: sql`messages_vocab`, common: accounts.commonMessageTerms },
} as const;

/** Words that many rows of a user hold, with estimated frequencies, as they were when `sampled` rows had been indexed (`common-terms.ts`). */
interface CommonTerms {
  readonly sampled: number;
  readonly df: ReadonlyMap<string, number>;
}

/** The samples as they were last read. Searches guess by them; what is not here is read when it is next wanted. */
export type KnownCommonTerms = Map<IndexName, CommonTerms>;

export interface IndexOfUser {
  readonly index: IndexName;
  readonly userId: string;
  /** Indexed rows, and how many there were when the sample was taken. */
  readonly rows: number;
  readonly sampled: number;
  readonly known: KnownCommonTerms;
}

/** Null: there may be common words, and which is not at hand. */
export function guessFrequencyIn({ index, rows, sampled, known }: IndexOfUser) {
  if (rows <= SMALL) return () => RARE;
  const terms = known.get(index);
  if (terms === undefined || terms.sampled !== sampled) return null;
  return (token: string) => terms.df.get(token) ?? RARE;
}

/** As good as any that is too low for a sample: which rare words a search asks for does not depend on how rare they are. */
const RARE = 1;

/**
 * How many rows hold each token, and the rows of a query in the same round trip. Tokens differ per user, so the frequencies are this
 * user's own. Words that many rows hold are estimated from the user's sample, because counting walks a word's whole list of rows.
 * Always asked by `term =`, since anything else would walk the whole index.
 * @param find null: the frequencies alone. Its columns, `width` of them, come as values in their order
 */
export async function readFrequencies(
  db: DrizzleD1Database,
  { index, userId, rows, sampled, known }: IndexOfUser,
  {
    tokens,
    find,
    width,
  }: { readonly tokens: readonly string[]; readonly find: SQL | null; readonly width: number },
): Promise<{ readonly df: Map<string, number>; readonly values: unknown[][] }> {
  const { vocab, common } = INDEXES[index];
  // Not a join, which would read the account once for each token.
  const sample = sql`(SELECT ${common} FROM ${accounts} WHERE ${accounts.userId} = ${userId})`;
  const counted = sql`(SELECT json_group_object(j.value, coalesce(${sample} ->> ('$."' || j.value || '"'), (SELECT doc FROM ${vocab} WHERE term = j.value)))
    FROM json_each(${JSON.stringify(tokens)}) j)`;
  const isWanted = rows > SMALL && known.get(index)?.sampled !== sampled;
  // The first row is of another kind than those that were asked for.
  const first = sql`SELECT ${counted}, ${isWanted ? sample : sql`NULL`}${sql.raw(", NULL".repeat(width - 2))}`;
  const [head, ...values] = await db.values(
    find === null ? first : sql`${first} UNION ALL SELECT * FROM (${find})`,
  );
  // True because SQLite wrote both, from tokens and numbers.
  const [frequencies, sampledTerms] = head as [string, string | null];
  if (typeof sampledTerms === "string") {
    known.set(index, { sampled, df: numbersOf(sampledTerms) });
  }
  return { df: numbersOf(frequencies), values };
}

function numbersOf(json: string): Map<string, number> {
  const entries = Object.entries(JSON.parse(json) as Record<string, number | null>);
  return new Map(entries.flatMap(([token, df]) => (df === null ? [] : [[token, df]])));
}

/** Whether a column of blind tokens holds all of none of the groups. */
export function holdsNoneOf(tokens: SQLiteColumn, groups: readonly (readonly string[])[]): SQL {
  return sql`NOT EXISTS (SELECT 1 FROM json_each(${JSON.stringify(groups)}) g
    WHERE NOT EXISTS (SELECT 1 FROM json_each(g.value) t WHERE instr(${tokens}, t.value) = 0))`;
}
