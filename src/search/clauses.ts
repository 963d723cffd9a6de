/**
 * Which of a query's terms FTS5 is asked for. It scores every match before it keeps the best 64, so what a search costs is the
 * number of rows that its clauses let through, not the number of rows it returns. Figures: bench/RESULTS.md, "Prototype".
 */

/** A blinded token and the number of the user's rows that hold it, counted or estimated. */
export interface TermFrequency {
  readonly term: string;
  readonly df: number;
}

/**
 * `rank`: the best rows by FTS5's order. `newest`: every term is so common that only the newest rows are worth reading; where
 * `match` finds none, ask `orElse`.
 */
export type Clauses =
  | { readonly order: "rank"; readonly match: string }
  | { readonly order: "newest"; readonly match: string; readonly orElse: string };

/**
 * Null when no term has a row: there is nothing to ask.
 * `rows`: all indexed rows of the user and kind. All terms count again when the candidates are ranked, left out here or not.
 */
export function chooseClauses(
  terms: readonly TermFrequency[],
  rows: number,
  {
    budget = SCORED_ROWS,
    steps = STEPS,
  }: { readonly budget?: number; readonly steps?: number } = {},
): Clauses | null {
  const rarestFirst = terms.filter(({ df }) => df > 0).toSorted((a, b) => a.df - b.df);
  if (rarestFirst.length === 0) return null;

  const left = { budget, steps };
  const alone = takeAlone(rarestFirst, left);
  const common = rarestFirst.slice(alone.length);
  let together = takeTogether(pairsOf(common), rows, left);
  if (together.length === 0) {
    together = takeTogether(triplesOf(common.slice(0, TRIPLES_OF)), rows, left);
  }

  const clauses = [...alone.map(({ term }) => quote(term)), ...together];
  if (clauses.length > 0) return { order: "rank", match: clauses.join(" OR ") };
  const rarest = rarestFirst.slice(0, NEWEST_OF).map(({ term }) => quote(term));
  return { order: "newest", match: rarest.join(" AND "), orElse: rarest.join(" OR ") };
}

/** What a search may still cost. Each taken clause lowers it. */
interface Left {
  /** Rows that FTS5 will score. */
  budget: number;
  /** Entries of posting lists that an AND will walk. */
  steps: number;
}

// All four: bench/RESULTS.md, "Prototype": about one known item in a hundred is lost from the first ten at 100,000 rows, none at 1,000.
const SCORED_ROWS = 3_000;
const STEPS = 80_000;
const TRIPLES_OF = 5;
const NEWEST_OF = 3;

function takeAlone(rarestFirst: readonly TermFrequency[], left: Left): TermFrequency[] {
  const taken: TermFrequency[] = [];
  for (const term of rarestFirst) {
    if (term.df > left.budget) break;
    left.budget -= term.df;
    taken.push(term);
  }
  return taken;
}

/** Takes the groups that are expected to share the fewest rows, as if words were independent. */
function takeTogether(
  groups: readonly (readonly TermFrequency[])[],
  rows: number,
  left: Left,
): string[] {
  const taken: string[] = [];
  const expected = groups
    .map((group) => ({
      group,
      size: group.reduce((size, { df }) => (size * df) / Math.max(rows, 1), rows),
      // The rarest list is walked, the others are searched once for each of its rows.
      walk: group.length * Math.min(...group.map(({ df }) => df)),
    }))
    .toSorted((a, b) => a.size - b.size);
  for (const { group, size, walk } of expected) {
    if (size > left.budget || walk > left.steps) break;
    left.budget -= size;
    left.steps -= walk;
    taken.push(`(${group.map(({ term }) => quote(term)).join(" AND ")})`);
  }
  return taken;
}

function pairsOf(terms: readonly TermFrequency[]): TermFrequency[][] {
  return terms.flatMap((first, at) => terms.slice(at + 1).map((second) => [first, second]));
}

function triplesOf(terms: readonly TermFrequency[]): TermFrequency[][] {
  return terms.flatMap((first, at) => pairsOf(terms.slice(at + 1)).map((pair) => [first, ...pair]));
}

/** Terms are base32, so nothing needs escaping; what is in quotes can be no operator. */
function quote(term: string): string {
  return `"${term.replaceAll('"', '""')}"`;
}
