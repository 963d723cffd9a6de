/** The way from blind terms to ranked rows, one for memories and messages. */
import { chooseClauses } from "./clauses.ts";
import { rank, type Candidate, type Ranking } from "./rank.ts";

/** Limits of 50 to 200 rank alike, 32 loses up to half a point of R@10 (search prototype). */
export const CANDIDATES = 64;
/** Newest rows read when every word is very common. */
const NEWEST_CANDIDATES = 128;

/** What is known of a user's rows of one kind. */
export interface SearchStatistics {
  /** Indexed rows and the sum of their token counts. */
  readonly rows: number;
  readonly tokens: number;
  /** How many rows hold each token; tokens held by none are absent. */
  readonly df: ReadonlyMap<string, number>;
}

/** Where the rows are: two methods of a store. */
export interface SearchIndex<Row> {
  readonly statistics: (terms: readonly string[]) => Promise<SearchStatistics>;
  /** `match`: quoted blind tokens. `limit`: rows at most. */
  readonly find: (match: string, order: "rank" | "newest", limit: number) => Promise<Row[]>;
}

/** Best first. Two round trips, three where very common words share no row. `terms`: distinct blind tokens. */
export async function searchIndex<Row extends Candidate>(
  index: SearchIndex<Row>,
  terms: readonly string[],
): Promise<(Row & Ranking)[]> {
  const { rows, tokens, df } = await index.statistics(terms);
  const weighed = terms.map((term) => ({ term, df: df.get(term) ?? 0 }));
  const clauses = chooseClauses(weighed, rows);
  if (clauses === null) return [];
  let found: Row[];
  if (clauses.order === "rank") {
    found = await index.find(clauses.match, "rank", CANDIDATES);
  } else {
    found = await index.find(clauses.match, "newest", NEWEST_CANDIDATES);
    if (found.length === 0) found = await index.find(clauses.orElse, "newest", NEWEST_CANDIDATES);
  }
  return rank(found, { terms: weighed, rows, totalTokens: tokens });
}
