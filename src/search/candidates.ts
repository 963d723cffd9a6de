/** The way from blind terms to ranked rows, one for memories and messages. */
import { chooseClauses, type ClauseTerm } from "./clauses.ts";
import { rank, type Candidate, type RankHints, type Ranking, type Term } from "./rank.ts";

/** Where the rows are: a store for one user and one kind of row. */
export interface SearchIndex<Row> {
  /** Indexed rows, and the sum of their token counts. */
  readonly rows: number;
  readonly tokens: number;
  /** How many rows are ranked again. */
  readonly candidates: number;
  /** How many of the user's rows hold each token: counted, or estimated where many do. Tokens held by none are absent. One round trip. */
  readonly frequencies: (tokens: readonly string[]) => Promise<ReadonlyMap<string, number>>;
  /** One round trip. `match`: quoted blind tokens only, never a person's text. */
  readonly find: (
    match: string,
    order: "rank" | "newest",
    limit: number,
  ) => Promise<readonly Row[]>;
}

/** A word of the query, its tokens plain or blind. */
export interface AskedTerm {
  /** Any of them stands for it. */
  readonly tokens: readonly string[];
  /** Asked for at half its weight where the user never wrote the word. */
  readonly synonyms: readonly string[];
}

export interface IndexQuery {
  readonly terms: readonly AskedTerm[];
  /** Filters: a row holds one token of each. */
  readonly required?: readonly (readonly string[])[];
  /** Words of a phrase: a row holds one token of each. */
  readonly phraseTerms?: readonly (readonly string[])[];
  /** No row holds all tokens of any of these. The index sees to it; here single ones only spare it work. */
  readonly excluded?: readonly (readonly string[])[];
  /** Whether the index drops rows for reasons that no token tells, so that clauses may leave too few. */
  readonly isFiltered?: boolean;
  /** Instead of the index's own number of rows that are ranked again. */
  readonly candidates?: number;
  readonly hints?: RankHints;
}

export interface Found<Row> {
  /** Best first. */
  readonly rows: readonly (Row & Ranking)[];
  /** Places in `terms` of the words for which synonyms were asked. */
  readonly replaced: ReadonlySet<number>;
}

/** bench/RESULTS.md: +0.1 and +3.1 points R@10; synonyms of words that are in use only blur. */
const SYNONYM_WEIGHT = 0.5;

/** Two round trips; one more where the clauses find nothing, or a filter left little. */
export async function searchIndex<Row extends Candidate>(
  index: SearchIndex<Row>,
  {
    terms: asked,
    required = [],
    phraseTerms = [],
    excluded = [],
    isFiltered = false,
    candidates = index.candidates,
    hints,
  }: IndexQuery,
): Promise<Found<Row>> {
  const nothing: Found<Row> = { rows: [], replaced: new Set() };
  if (asked.length === 0 || index.rows === 0) return nothing;
  const df = await index.frequencies([
    ...new Set([
      ...asked.flatMap(({ tokens, synonyms }) => [...tokens, ...synonyms]),
      ...required.flat(),
      ...phraseTerms.flat(),
    ]),
  ]);
  // Tokens that no row holds would only cost.
  const heldOf = (tokens: readonly string[]): ClauseTerm => {
    const held = tokens.filter((token) => df.has(token));
    return { tokens: held, df: held.reduce((sum, token) => sum + (df.get(token) ?? 0), 0) };
  };
  const replaced = new Set<number>();
  const terms = asked.map(({ tokens, synonyms }, at): Term => {
    const own = heldOf(tokens);
    const others = heldOf(own.df === 0 ? synonyms : []);
    if (others.df === 0) return { ...own, weight: 1 };
    replaced.add(at);
    return { ...others, weight: SYNONYM_WEIGHT };
  });

  const filters = required.map(heldOf);
  const phrases = phraseTerms.map(heldOf);
  if ([...filters, ...phrases].some((filter) => filter.df === 0)) return nothing;
  const clauses = chooseClauses({
    terms,
    rows: index.rows,
    required: filters,
    phraseTerms: phrases,
    excluded: excluded.filter(({ length }) => length === 1).flat(),
    isFiltered,
  });
  if (clauses === null) return nothing;
  const { match, order, orElse } = clauses;
  let found = await index.find(match, order, candidates);
  // Clauses are chosen by how many rows hold the words, all together or after a filter that is no token there may be none.
  if (orElse !== null && found.length < orElse.below) {
    const others = await index.find(orElse.match, "newest", candidates);
    const known = new Set(found.map(({ id }) => id));
    found = [...found, ...others.filter(({ id }) => !known.has(id))];
  }
  const query = { terms, rows: index.rows, totalTokens: index.tokens };
  return { rows: rank(found, query, hints), replaced };
}
