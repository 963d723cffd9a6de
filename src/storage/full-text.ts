/** What both full-text indexes have in common. */
import { sql, type SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Match, SearchIndex } from "../search/candidates.ts";
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

/** A word that fewer rows hold is counted in some microseconds, and may not be in the sample. */
export const CHEAP_ROWS = 1_000;

/** Whether there is no sample, or the rows grew by a fifth since, or half of them went. @param sampled how many rows there were then */
export function isOutdated({
  rows,
  sampled,
}: {
  readonly rows: number;
  readonly sampled: number;
}): boolean {
  return rows > SMALL && (rows > sampled * 1.2 || rows < sampled / 2);
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

/**
 * How many rows probably hold each token: those that no sample names are taken for rare. Null: too little is known, and what a search
 * would ask for by that might cost more than the round trip that it spares.
 */
export function guessFrequencies(
  { index, rows, sampled, known }: IndexOfUser,
  tokens: readonly string[],
): Map<string, number> | null {
  if (rows <= SMALL) return new Map(tokens.map((token) => [token, RARE]));
  const common = known.get(index);
  if (common?.sampled !== sampled || isOutdated({ rows, sampled })) return null;
  const unnamed = tokens.filter((token) => !common.df.has(token)).length;
  if (unnamed * CHEAP_ROWS > SMALL) return null;
  return new Map(tokens.map((token) => [token, common.df.get(token) ?? RARE]));
}

/** Of a search: how its rows are asked for, and made of the values of `width` columns. */
export interface IndexQueries<Row> {
  readonly query: (asked: Match) => SQL;
  readonly width: number;
  readonly rowsOf: (values: readonly unknown[][]) => Row[];
}

/** How a search asks either index. */
export function openIndex<Row>(
  db: DrizzleD1Database,
  index: IndexOfUser,
  { query, width, rowsOf }: IndexQueries<Row>,
): Pick<SearchIndex<Row>, "guess" | "count" | "find"> {
  return {
    guess: (tokens) => guessFrequencies(index, tokens),
    async count(tokens, guessed) {
      const find = guessed === null ? null : query(guessed);
      const { df, values } = await countAndFind(db, index, { tokens, find, width });
      return { df, rows: rowsOf(values) };
    },
    find: async (asked) => rowsOf(await db.values(query(asked))),
  };
}

/** Rare words are asked for alone, however rare they are. */
const RARE = 1;

/**
 * How many rows hold each token, and the rows of a query in the same round trip. Tokens differ per user, so the frequencies are this
 * user's own. Words that many rows hold are estimated from the user's sample, because counting walks a word's whole list of rows.
 * Always asked by `term =`, since anything else would walk the whole index.
 * @param find selects `width` columns; null: nothing but the frequencies
 * @returns `values`: the rows of `find`, without names, because Drizzle takes as long to map that many values as D1 to find them
 */
async function countAndFind(
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
  // One statement and no batch, whose results name every column in every row. The first column tells the two kinds of rows apart.
  const padding = sql.raw(", NULL".repeat(width - 2));
  const counts = sql`SELECT ${COUNTS}, ${counted}, ${isWanted ? sample : sql`NULL`}${padding}`;
  const answer = await db.values(
    find === null ? counts : sql`${counts} UNION ALL SELECT NULL, * FROM (${find})`,
  );
  const values = answer.filter(([kind]) => kind !== COUNTS).map(([, ...row]) => row);
  // True because SQLite wrote both, from tokens and numbers.
  const [, frequencies, sampledTerms] = answer.find(([kind]) => kind === COUNTS) as [
    typeof COUNTS,
    string,
    string | null,
  ];
  if (sampledTerms !== null) known.set(index, { sampled, df: numbersOf(sampledTerms) });
  return { df: numbersOf(frequencies), values };
}

const COUNTS = "counts";

function numbersOf(json: string): Map<string, number> {
  const entries = Object.entries(JSON.parse(json) as Record<string, number | null>);
  return new Map(entries.flatMap(([token, df]) => (df === null ? [] : [[token, df]])));
}

/** Whether a column of blind tokens holds all of none of the groups. */
export function holdsNoneOf(tokens: SQLiteColumn, groups: readonly (readonly string[])[]): SQL {
  return sql`NOT EXISTS (SELECT 1 FROM json_each(${JSON.stringify(groups)}) g
    WHERE NOT EXISTS (SELECT 1 FROM json_each(g.value) t WHERE instr(${tokens}, t.value) = 0))`;
}
