/**
 * Orders the candidates that FTS5 found, by BM25 over all terms of the query with the user's own frequencies. FTS5's scores know the
 * rows of all users, which flattens rare and common words and would tell one user about others. Figures: bench/RESULTS.md.
 */
import { turnFactor, turnsAround, type Turn } from "./turns.ts";

/** `tokens` and `dt` are blind tokens, sorted, repeated, joined by single blanks. */
export interface Candidate {
  readonly id: string;
  /** Milliseconds UTC. */
  readonly createdAt: number;
  readonly importance: number;
  /** Of the words in `tokens` and `dt` together. */
  readonly tokenCount: number;
  readonly tokens: string;
  readonly dt: string;
  /** Of a message: who speaks, and what stands around it. */
  readonly turn?: Turn;
  /** The conversation: its best rows lift all of its rows. */
  readonly group?: string;
}

/** A word of the query, as blind tokens of which any stands for it. */
export interface Term {
  readonly tokens: readonly string[];
  /** The user's rows that hold one. */
  readonly df: number;
  /** 1, or less where the tokens are not quite the word that was asked for. */
  readonly weight: number;
}

export interface RankQuery {
  /** Every word of the query, those with df 0 and those left out of MATCH included. */
  readonly terms: readonly Term[];
  /** The user's indexed rows of the kind. */
  readonly rows: number;
  /** The sum of their `tokenCount`. */
  readonly totalTokens: number;
}

/** What else is known of the question. */
export interface RankHints {
  /** Blind tokens of words for times, where the question asks for one. */
  readonly times?: ReadonlySet<string>;
}

export interface Ranking {
  readonly score: number;
  /** 0 to 1, two decimals: 0.5 is worth a look, 0.7 probably the answer. Not a probability. */
  readonly relevance: number;
  /** Places in `RankQuery.terms` of the words found in `tokens` or `dt`. */
  readonly matched: readonly number[];
}

/** Best first; ties by importance, then newer, then id. */
export function rank<C extends Candidate>(
  candidates: readonly C[],
  query: RankQuery,
  hints: RankHints = {},
): (C & Ranking)[] {
  const weights = query.terms.map(({ df }) => inverseFrequency(df, query.rows));
  const places = placesOf(query.terms);
  const scoring: Scoring = {
    terms: query.terms,
    weights,
    places,
    averageLength: averageLengthOf(candidates, query),
    hints,
  };
  const weightOfAll = sum(weights);
  const scored = candidates.map((candidate) => ({ candidate, ...scoreAlone(candidate, scoring) }));
  const lifts = liftByGroup(scored);
  const lifted = scored.map(({ candidate, own, factor, covered, matched }) => {
    const lift = candidate.group === undefined ? 0 : (lifts.get(candidate.group) ?? 0);
    const coverage = weightOfAll > 0 ? covered / weightOfAll : 0;
    return { candidate, score: (own + lift) * factor, coverage, matched };
  });
  const top = lifted.reduce((best, { score }) => Math.max(best, score), 0);
  return lifted
    .map(({ candidate, score, coverage, matched }) => {
      const relevance = top > 0 ? Math.round(100 * Math.sqrt((coverage * score) / top)) / 100 : 0;
      return { ...candidate, score, relevance, matched };
    })
    .sort(byScore);
}

/** For each token the terms for which it stands: "doctor" for itself and for "physician". */
type Places = ReadonlyMap<string, readonly number[]>;

function placesOf(terms: readonly Term[]): Places {
  const places = new Map<string, number[]>();
  for (const [at, { tokens }] of terms.entries()) {
    for (const token of new Set(tokens)) places.set(token, [...(places.get(token) ?? []), at]);
  }
  return places;
}

interface Scoring {
  readonly terms: readonly Term[];
  readonly weights: readonly number[];
  readonly places: Places;
  readonly averageLength: number;
  readonly hints: RankHints;
}

interface Scored {
  readonly own: number;
  /** Multiplies the score together with the conversation's lift. */
  readonly factor: number;
  /** Weights of the terms found. */
  readonly covered: number;
  readonly matched: readonly number[];
}

// BM25. All figures in bench/RESULTS.md were measured with these two.
const K1 = 0.9;
const B = 0.4;
/** bench/RESULTS.md: +8 to +10 points R@10 for messages. The same weight stands in the FTS5 table. */
const CTX_WEIGHT = 0.35;
const BLANK = 32;
/** Neighbours that a message has on average within ±2, for the average length only. */
const CTX_NEIGHBOURS = 3.5;
/** bench/RESULTS.md: without it R@10 falls by 1.4 points. */
const GROUP_WEIGHT = 0.1;
const GROUP_BEST = 3;

/** A df may be estimated and exceed the rows, and the logarithm must stay positive. */
function inverseFrequency(df: number, rows: number): number {
  const known = Math.min(Math.max(df, 0), rows);
  return Math.log(1 + (rows - known + 0.5) / (known + 0.5));
}

function averageLengthOf(
  candidates: readonly Candidate[],
  { rows, totalTokens }: RankQuery,
): number {
  const own = rows > 0 && totalTokens > 0 ? totalTokens / rows : 1;
  const hasContext = candidates.some(({ turn }) => turn !== undefined);
  return hasContext ? own * (1 + CTX_WEIGHT * CTX_NEIGHBOURS) : own;
}

function scoreAlone(
  { tokens, dt, turn, tokenCount }: Candidate,
  { terms, weights, places, averageLength, hints }: Scoring,
): Scored {
  const ownCounts = new Float64Array(terms.length);
  const ctxCounts = new Float64Array(terms.length);
  count(tokens, places, ownCounts);
  count(dt, places, ownCounts);
  const around = turn === undefined ? [] : turnsAround(turn);
  for (const near of around) count(near, places, ctxCounts);
  const ctxLength = sum(around.map(lengthOf));

  const damping = K1 * (1 - B + (B * (tokenCount + CTX_WEIGHT * ctxLength)) / averageLength);
  let own = 0;
  let covered = 0;
  const matched: number[] = [];
  for (const [at, term] of terms.entries()) {
    const idf = weights[at] ?? 0;
    const found = ownCounts[at] ?? 0;
    const frequency = term.weight * (found + CTX_WEIGHT * (ctxCounts[at] ?? 0));
    if (frequency > 0) own += (idf * frequency * (K1 + 1)) / (frequency + damping);
    if (found === 0) continue;
    matched.push(at);
    covered += idf * term.weight;
  }
  if (turn === undefined) return { own, factor: 1, covered, matched };
  const { alone, whole } = turnFactor(turn, {
    tokens,
    length: lengthOf(tokens),
    places,
    times: hints.times,
  });
  return { own: own * alone, factor: whole, covered, matched };
}

/** Adds how often each term stands in `column`. */
function count(column: string, places: Places, counts: Float64Array): void {
  for (const [token, terms] of places) {
    const found = occurrences(column, token);
    if (found === 0) continue;
    for (const at of terms) counts[at] = (counts[at] ?? 0) + found;
  }
}

/** Searched for and not split, which would make a string of every word in every row. */
function occurrences(column: string, token: string): number {
  let found = 0;
  for (let at = column.indexOf(token); at >= 0; at = column.indexOf(token, at + token.length)) {
    const end = at + token.length;
    const isWhole =
      (at === 0 || column.charCodeAt(at - 1) === BLANK) &&
      (end === column.length || column.charCodeAt(end) === BLANK);
    if (isWhole) found += 1;
  }
  return found;
}

function lengthOf(column: string): number {
  if (column === "") return 0;
  let length = 1;
  for (let at = column.indexOf(" "); at >= 0; at = column.indexOf(" ", at + 1)) length += 1;
  return length;
}

function liftByGroup(
  scored: readonly { readonly candidate: Candidate; readonly own: number }[],
): Map<string, number> {
  const groups = Map.groupBy(scored, ({ candidate }) => candidate.group);
  const lifts = new Map<string, number>();
  for (const [group, rows] of groups) {
    if (group === undefined) continue;
    const best = rows.map(({ own }) => own).sort((a, b) => b - a);
    lifts.set(group, GROUP_WEIGHT * sum(best.slice(0, GROUP_BEST)));
  }
  return lifts;
}

function byScore(a: Candidate & Ranking, b: Candidate & Ranking): number {
  return (
    b.score - a.score ||
    b.importance - a.importance ||
    b.createdAt - a.createdAt ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
