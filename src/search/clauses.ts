/**
 * What FTS5 is asked for. It scores every match before it keeps the best, and to know how rare a word is it walks the word's whole
 * list of rows once for each time that the word stands in the question. So few rows are selected, by the rarest words, and words that
 * many rows hold stand in the question as seldom as possible. Figures: bench/RESULTS.md, "Scale".
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
  /** Filters: a row holds one token of each. They select and do not rank. Conditions on the rows say the same. */
  readonly required?: readonly ClauseTerm[];
  /** As filters, without a condition that says the same: words of a phrase. */
  readonly phraseTerms?: readonly ClauseTerm[];
  /** No row holds any of these. */
  readonly excluded?: readonly string[];
  /** Whether rows are dropped for reasons that no token tells, so that of few selected ones none may be left. */
  readonly isFiltered?: boolean;
}

/** `rank`: the best rows by FTS5's order. `newest`: every word is so common that only the newest rows are worth reading. */
export interface Clauses {
  readonly order: "rank" | "newest";
  readonly match: string;
  /** What is asked for besides, newest first, where `match` finds fewer rows than `below`; null where nothing more is to be found. */
  readonly orElse: { readonly match: string; readonly below: number } | null;
}

/** With so few matches in all, each is scored. */
export const SMALL = 3_000;

/** Null when no row holds any term. All terms count again when the candidates are ranked. */
export function chooseClauses({
  terms,
  rows,
  required = [],
  phraseTerms = [],
  excluded = [],
  isFiltered = false,
}: ClauseQuery): Clauses | null {
  const rarestFirst = terms.filter(({ df }) => df > 0).toSorted((a, b) => a.df - b.df);
  const [rarest] = rarestFirst;
  if (rarest === undefined) return null;
  // A filter that most rows pass spares less than it costs.
  const kept = required.filter(({ df }) => df <= rows / 2);
  const narrowing = [...kept, ...phraseTerms];
  const filters = narrowing.map(({ tokens }) => anyOf(tokens));
  const filtered = (core: string): string => {
    const wanted = filters.length === 0 ? core : `(${core}) AND ${filters.join(" AND ")}`;
    // In the text alone: what stands around a row, its day or its speaker leaves nothing out.
    return excluded.length === 0 ? wanted : `(${wanted}) NOT {text} : (${anyOf(excluded)})`;
  };

  const any = filtered(joined(rarestFirst, " OR "));
  const ask = { order: "rank", match: any, orElse: null } as const;
  const matches = Math.min(rows, sizeOf(rarestFirst));
  if (matches <= ENOUGH_ROWS) return ask;
  // FTS5 takes a word that half of the table holds for worthless, and one user may be the whole table.
  if (rows <= SMALL && rarestFirst.length > 1 && rarest.df > rows * WORTHLESS) {
    return {
      order: "rank",
      match: filtered(joined(rarestFirst, " AND ")),
      orElse: { match: any, below: PAGE },
    };
  }
  if (matches <= SMALL) return ask;

  const left: Left = { rows: SELECTED_ROWS, steps: STEPS };
  const isNarrow = narrowing.some(({ df }) => df <= SMALL);
  const alone = isNarrow ? [] : takeAlone(rarestFirst, left);
  const common = rarestFirst.slice(alone.length).slice(0, GROUPS_OF);
  const groups = isNarrow ? [] : takeTogether(common, rows, left);
  const selection = [
    ...(alone.length === 0 ? [] : [joined(alone, " OR ")]),
    ...joinedByTree(groups),
  ];
  const scored = rarestFirst.filter(
    (term, at) => takeSteps(left, term.df) || (at === 0 && selection.length > 0),
  );
  if (isNarrow && scored.length === 0) return { order: "newest", match: any, orElse: null };
  const mayLeaveNone = isFiltered || kept.length < required.length;
  // Where only rows with several words are asked for and hardly one is there, those with the rarest word alone are worth a look.
  const few = rarest.df <= SMALL && !mayLeaveNone ? filtered(anyOf(rarest.tokens)) : any;
  if (!isNarrow && selection.length === 0) {
    const match = filtered(joined(rarestFirst.slice(0, NEWEST_OF), " AND "));
    return { order: "newest", match, orElse: match === any ? null : { match: few, below: PAGE } };
  }
  // FTS5 ranks by the words it is asked for, so common ones are asked for among the selected rows.
  const score = joined(scored, " OR ");
  const match = filtered(isNarrow ? score : `(${selection.join(" OR ")}) AND (${score})`);
  if (alone.length === 0 && !isNarrow)
    return { order: "rank", match, orElse: { match: few, below: PAGE } };
  const below = mayLeaveNone ? PAGE : 1;
  return { order: "rank", match, orElse: match === any ? null : { match: any, below } };
}

/** What a search may still cost. Each taken clause lowers it. */
interface Left {
  /** That FTS5 will score. */
  rows: number;
  /** Entries of words' lists of rows that it will walk. */
  steps: number;
}

// bench/RESULTS.md, "Scale": with these a known item of three words is found as often as without any bound; more only cost.
const SELECTED_ROWS = 300;
const STEPS = 40_000;
/** Of so many common words pairs, triples and fours are formed: at most 50 of them. */
const GROUPS_OF = 6;
const NEWEST_OF = 3;
/** Arbitrary. */
export const PAGE = 10;
/** Of the user's rows. FTS5's own limit is a half of the table's; estimated frequencies may be a little off. */
const WORTHLESS = 0.45;
/** As many as are ranked again (`storage/memory-index.ts`). */
const ENOUGH_ROWS = 96;

function takeSteps(left: Left, steps: number): boolean {
  if (steps > left.steps) return false;
  left.steps -= steps;
  return true;
}

function takeAlone(rarestFirst: readonly ClauseTerm[], left: Left): ClauseTerm[] {
  const taken: ClauseTerm[] = [];
  for (const term of rarestFirst) {
    if (term.df > left.rows || !takeSteps(left, term.df)) break;
    left.rows -= term.df;
    taken.push(term);
  }
  return taken;
}

/** Groups that are expected to share few rows, as if words were independent, those of two words first. The commonest word of each leads. */
function takeTogether(
  common: readonly ClauseTerm[],
  rows: number,
  left: Left,
): (readonly ClauseTerm[])[] {
  const commonestFirst = common.toReversed();
  const expected = [2, 3, 4].flatMap((length) =>
    groupsOf(commonestFirst, length)
      .map((group) => ({ group, size: group.reduce((size, { df }) => (size * df) / rows, rows) }))
      .toSorted((a, b) => a.size - b.size),
  );
  const taken: (readonly ClauseTerm[])[] = [];
  for (const { group, size } of expected) {
    const isSelected = taken.some((other) => other.every((term) => group.includes(term)));
    if (isSelected || size > left.rows) continue;
    const shared = Math.max(0, ...taken.map((other) => sharedStart(group, other)));
    if (!takeSteps(left, sizeOf(group.slice(shared)))) continue;
    left.rows -= size;
    taken.push(group);
  }
  return taken;
}

function groupsOf(terms: readonly ClauseTerm[], length: number): ClauseTerm[][] {
  if (length === 0) return [[]];
  return terms.flatMap((first, at) =>
    groupsOf(terms.slice(at + 1), length - 1).map((others) => [first, ...others]),
  );
}

function sharedStart(one: readonly ClauseTerm[], other: readonly ClauseTerm[]): number {
  const differs = one.findIndex((term, at) => term !== other[at]);
  return differs < 0 ? one.length : differs;
}

/** Groups that begin with the same word ask for it once: `a AND (b OR c)`. None begins with the whole of another. */
function joinedByTree(groups: readonly (readonly ClauseTerm[])[]): string[] {
  const byFirst = Map.groupBy(groups, ([first]) => first);
  return [...byFirst].flatMap(([first, own]) => {
    if (first === undefined) return [];
    const rest = joinedByTree(own.map((group) => group.slice(1)));
    const word = anyOf(first.tokens);
    return rest.length === 0 ? word : `(${word} AND ${oneOf(rest)})`;
  });
}

function sizeOf(terms: readonly ClauseTerm[]): number {
  return terms.reduce((sum, { df }) => sum + df, 0);
}

/** One of several may be named in any order, and is in one that does not depend on how many rows hold which. */
function joined(terms: readonly ClauseTerm[], operator: " AND " | " OR "): string {
  const words = terms.map(({ tokens }) => anyOf(tokens));
  return (operator === " OR " ? words.toSorted() : words).join(operator);
}

/** Tokens are base32, so nothing needs escaping; what is in quotes can be no operator. */
function anyOf(tokens: readonly string[]): string {
  return oneOf(tokens.map((token) => `"${token.replaceAll('"', '""')}"`));
}

function oneOf(clauses: readonly string[]): string {
  return clauses.length === 1 ? (clauses[0] ?? "") : `(${clauses.join(" OR ")})`;
}
