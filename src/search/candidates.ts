/** The way from blind terms to ranked rows, one for memories and messages. */
import { chooseClauses, type Clauses, type ClauseTerm } from "./clauses.ts";
import { rank, type Candidate, type RankHints, type Ranking, type Term } from "./rank.ts";

/** What an index is asked for. `match`: quoted blind tokens only, never a person's text. */
export interface Match {
  readonly match: string;
  readonly order: "rank" | "newest";
  readonly limit: number;
}

/** Where the rows are: a store for one user and one kind of row. */
export interface SearchIndex<Row> {
  /** Indexed rows, and the sum of their token counts. */
  readonly rows: number;
  readonly tokens: number;
  /** How many rows are ranked again; fewer where rows are long. */
  readonly candidates: number;
  /** Rows whose words come with each that is ranked: its own, and those around it. */
  readonly rowsEach: number;
  /** How many of the user's rows probably hold each token, from what is at hand. Null: too little is known, or a wrong guess would cost too much. */
  readonly guess: (tokens: readonly string[]) => ReadonlyMap<string, number> | null;
  /**
   * How many of the user's rows hold each token: counted, or estimated where many do. Tokens held by none are absent. The rows of `guessed`
   * come along, in the same round trip.
   */
  readonly count: (tokens: readonly string[], guessed: Match | null) => Promise<Counted<Row>>;
  /** One round trip. */
  readonly find: (asked: Match) => Promise<readonly Row[]>;
}

export interface Counted<Row> {
  readonly df: ReadonlyMap<string, number>;
  /** Empty where nothing was guessed. */
  readonly rows: readonly Row[];
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

/** Tokens of all ranked rows and those around them, 1.5 MB as the database gives them. Arbitrary: some 40 ms on the local engine. */
const MAX_RANKED_TOKENS = 120_000;
/** Fewer would find less (bench/RESULTS.md, "Prototype"). */
const LEAST_RANKED = 32;

/** By the average row, so that a search of long texts stays as fast as one of facts, and within memory. */
function mostRanked(
  { rows, tokens, rowsEach }: Pick<SearchIndex<unknown>, "rows" | "tokens" | "rowsEach">,
  wanted: number,
): number {
  const each = Math.max(1, (tokens / rows) * rowsEach);
  return Math.min(wanted, Math.max(LEAST_RANKED, Math.floor(MAX_RANKED_TOKENS / each)));
}

/**
 * One round trip where the frequencies of the words could be guessed well enough to know beforehand what to ask for, which changes no
 * result; else two. One more where the clauses find nothing, or a filter left little.
 */
export async function searchIndex<Row extends Candidate>(
  index: SearchIndex<Row>,
  query: IndexQuery,
): Promise<Found<Row>> {
  const { terms: asked, hints } = query;
  const nothing: Found<Row> = { rows: [], replaced: new Set() };
  if (asked.length === 0 || index.rows === 0) return nothing;
  const limit = mostRanked(index, query.candidates ?? index.candidates);
  const guessed = guessClauses(index, query);
  const counted = await index.count(
    tokensOf(query),
    guessed === null ? null : matchOf(guessed, limit),
  );
  const chosen = clausesFor(query, { rows: index.rows, df: counted.df });
  if (chosen === null) return nothing;
  const { clauses, terms, replaced } = chosen;
  const isFound = guessed !== null && findsTheSame(guessed, clauses, { ...query, replaced });
  let found = isFound ? counted.rows : await index.find(matchOf(clauses, limit));
  // Clauses are chosen by how many rows hold the words, all together or after a filter that is no token there may be none.
  if (clauses.orElse !== null && found.length < clauses.orElse.below) {
    const { match } = clauses.orElse;
    const others = await index.find({ match, order: "newest", limit });
    const known = new Set(found.map(({ id }) => id));
    found = [...found, ...others.filter(({ id }) => !known.has(id))];
  }
  const rankQuery = { terms, rows: index.rows, totalTokens: index.tokens };
  return { rows: rank(found, rankQuery, hints), replaced };
}

function tokensOf({ terms, required = [], phraseTerms = [] }: IndexQuery): string[] {
  const words = terms.flatMap(({ tokens, synonyms }) => [...tokens, ...synonyms]);
  return [...new Set([...words, ...required.flat(), ...phraseTerms.flat()])];
}

/** Null: nothing is guessed, or there is nothing to ask for. */
function guessClauses<Row>(index: SearchIndex<Row>, query: IndexQuery): Clauses | null {
  // Whether synonyms are wanted is not known before the words are counted.
  const plain = { ...query, terms: query.terms.map((term) => ({ ...term, synonyms: [] })) };
  const df = index.guess(tokensOf(plain));
  if (df === null) return null;
  return clausesFor(plain, { rows: index.rows, df })?.clauses ?? null;
}

/**
 * Whether both find the same rows: as they ask for the same, or as both ask for any of the words, which is when there is no `orElse` to an
 * order by rank. Words that no row holds find nothing then. Which filters are asked for depends on how many rows pass them.
 */
function findsTheSame(
  guessed: Clauses,
  clauses: Clauses,
  { required = [], replaced }: Pick<IndexQuery, "required"> & Pick<Chosen, "replaced">,
): boolean {
  const asksForAny = ({ order, orElse }: Clauses) => order === "rank" && orElse === null;
  const isPlain = required.length === 0 && replaced.size === 0;
  if (isPlain && asksForAny(guessed) && asksForAny(clauses)) return true;
  return guessed.order === clauses.order && guessed.match === clauses.match;
}

function matchOf({ match, order }: Clauses, limit: number): Match {
  return { match, order, limit };
}

interface Chosen {
  readonly clauses: Clauses;
  readonly terms: readonly Term[];
  readonly replaced: ReadonlySet<number>;
}

/** Null: no row can match. */
function clausesFor(
  { terms: asked, required = [], phraseTerms = [], excluded = [], isFiltered = false }: IndexQuery,
  { rows, df }: { readonly rows: number; readonly df: ReadonlyMap<string, number> },
): Chosen | null {
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
  if ([...filters, ...phrases].some((filter) => filter.df === 0)) return null;
  const clauses = chooseClauses({
    terms,
    rows,
    required: filters,
    phraseTerms: phrases,
    excluded: excluded.filter(({ length }) => length === 1).flat(),
    isFiltered,
  });
  return clauses === null ? null : { clauses, terms, replaced };
}
