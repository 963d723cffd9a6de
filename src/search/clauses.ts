/**
 * What FTS5 is asked for. It scores every match before it keeps the best, so what a search costs is the number of rows that its
 * clauses select, not the number of rows it returns. Few rows are selected, by the rarest words, and among them all words count.
 * Figures: bench/RESULTS.md, "Scale".
 */

/** A word, or a filter: any of its blind `tokens` stands for it. `df`: rows that hold one, counted or estimated. */
export interface ClauseTerm {
  readonly tokens: readonly string[];
  readonly df: number;
}

export interface ClauseQuery {
  readonly terms: readonly ClauseTerm[];
  /** All indexed rows of the user and kind. */
  readonly rows: number;
  /** Filters: a row holds one token of each. They select and do not rank. */
  readonly required?: readonly ClauseTerm[];
  /** No row holds any of these. */
  readonly excluded?: readonly string[];
}

/** `rank`: the best rows by FTS5's order. `newest`: every word is so common that only the newest rows are worth reading. */
export interface Clauses {
  readonly order: "rank" | "newest";
  readonly match: string;
  /** Asks for rows with any of the words where `match` finds fewer rows than `below`; null where `match` asks for those already. */
  readonly orElse: { readonly match: string; readonly below: number } | null;
}

/** With so few matches in all, each is scored. */
export const SMALL = 3_000;

/** Null when no row holds any term. All terms count again when the candidates are ranked. */
export function chooseClauses(
  { terms, rows, required = [], excluded = [] }: ClauseQuery,
  { budget = SELECTED_ROWS, steps = STEPS }: { budget?: number; steps?: number } = {},
): Clauses | null {
  const rarestFirst = terms.filter(({ df }) => df > 0).toSorted((a, b) => a.df - b.df);
  if (rarestFirst.length === 0) return null;
  const filter = required.map(({ tokens }) => anyOf(tokens));
  const filtered = (core: string): string => {
    const wanted = filter.length === 0 ? core : `(${core}) AND ${filter.join(" AND ")}`;
    // In the text alone: what stands around a row, its day or its speaker leaves nothing out.
    return excluded.length === 0 ? wanted : `(${wanted}) NOT {text} : (${anyOf(excluded)})`;
  };

  const any = filtered(joined(rarestFirst, " OR "));
  const matches = Math.min(
    rows,
    rarestFirst.reduce((sum, { df }) => sum + df, 0),
  );
  const [rarest] = rarestFirst;
  // A rare filter selects by itself.
  const isNarrow = required.some(({ df }) => df <= budget);
  const ask = { order: "rank", match: any, orElse: null } as const;
  if (matches <= ENOUGH_ROWS || isNarrow) return ask;
  // FTS5 takes a word that half of the table holds for worthless, and one user may be the whole table.
  if (rows <= SMALL && rarestFirst.length > 1 && (rarest?.df ?? 0) > rows * WORTHLESS) {
    return {
      order: "rank",
      match: filtered(joined(rarestFirst, " AND ")),
      orElse: { match: any, below: PAGE },
    };
  }
  if (matches <= SMALL) return ask;

  const left = { budget, steps };
  const alone = takeAlone(rarestFirst, left);
  const common = rarestFirst.slice(alone.length).slice(0, GROUPS_OF);
  const together = [2, 3, 4].flatMap((size) => takeTogether(groupsOf(common, size), rows, left));
  // Groups of few rows must not be all that is found of a word that many rows hold.
  const isThin = budget - left.budget < ENOUGH_ROWS && (rarest?.df ?? 0) <= SMALL;
  const single = alone.length === 0 && isThin ? rarestFirst.slice(0, 1) : alone;
  const selection = [...single.map(({ tokens }) => anyOf(tokens)), ...together].join(" OR ");
  if (selection === "") {
    const few = joined(rarestFirst.slice(0, NEWEST_OF), " AND ");
    const orElse = rarestFirst.length === 1 ? null : { match: any, below: 1 };
    return { order: "newest", match: filtered(few), orElse };
  }
  // FTS5 ranks by the words it is asked for, so the common ones are asked for among the selected rows.
  if (together.length === 0 && single.length === rarestFirst.length) {
    return ask;
  }
  const scored = joined(takeForScoring(rarestFirst), " OR ");
  return {
    order: "rank",
    match: filtered(`(${selection}) AND (${scored})`),
    orElse: { match: any, below: 1 },
  };
}

/** What a selection may still cost. Each taken clause lowers it. */
interface Left {
  /** Rows that FTS5 will score. */
  budget: number;
  /** Entries of posting lists that an AND will walk. */
  steps: number;
}

// bench/RESULTS.md, "Scale": with these a known item of three words is found as often as without any bound; more only cost.
const SELECTED_ROWS = 1_000;
const STEPS = 200_000;
const SCORING_STEPS = 200_000;
/** Of so many common words pairs, triples and fours are formed: at most 50 of them. */
const GROUPS_OF = 6;
const NEWEST_OF = 3;
/** Arbitrary. */
export const PAGE = 10;
/** Of the user's rows. FTS5's own limit is a half of the table's; estimated frequencies may be a little off. */
const WORTHLESS = 0.45;
/** As many as are ranked again (`candidates.ts`). */
const ENOUGH_ROWS = 96;

function takeAlone(rarestFirst: readonly ClauseTerm[], left: Left): ClauseTerm[] {
  const taken: ClauseTerm[] = [];
  for (const term of rarestFirst) {
    if (term.df > left.budget) break;
    left.budget -= term.df;
    taken.push(term);
  }
  return taken;
}

/** Takes the groups that are expected to share the fewest rows, as if words were independent. */
function takeTogether(
  groups: readonly (readonly ClauseTerm[])[],
  rows: number,
  left: Left,
): string[] {
  const taken: string[] = [];
  const expected = groups
    .map((group) => ({
      group,
      size: group.reduce((size, { df }) => (size * df) / rows, rows),
      // The rarest list is walked, the others are searched once for each of its rows.
      walk: group.length * Math.min(...group.map(({ df }) => df)),
    }))
    .toSorted((a, b) => a.size - b.size);
  for (const { group, size, walk } of expected) {
    if (size > left.budget || walk > left.steps) break;
    left.budget -= size;
    left.steps -= walk;
    taken.push(`(${joined(group, " AND ")})`);
  }
  return taken;
}

/** The rarest terms, as many as can be looked up among the selected rows: the list of a very common word is walked whole. */
function takeForScoring(rarestFirst: readonly ClauseTerm[]): ClauseTerm[] {
  let left = SCORING_STEPS;
  return rarestFirst.filter(({ df }, at) => {
    left -= df;
    return at === 0 || left >= 0;
  });
}

function groupsOf(terms: readonly ClauseTerm[], size: number): ClauseTerm[][] {
  if (size === 0) return [[]];
  return terms.flatMap((first, at) =>
    groupsOf(terms.slice(at + 1), size - 1).map((others) => [first, ...others]),
  );
}

function joined(terms: readonly ClauseTerm[], operator: " AND " | " OR "): string {
  return terms.map(({ tokens }) => anyOf(tokens)).join(operator);
}

/** Tokens are base32, so nothing needs escaping; what is in quotes can be no operator. */
function anyOf(tokens: readonly string[]): string {
  const quoted = tokens.map((token) => `"${token.replaceAll('"', '""')}"`);
  return quoted.length === 1 ? (quoted[0] ?? "") : `(${quoted.join(" OR ")})`;
}
