/**
 * Orders the candidates that FTS5 found, by BM25 over all terms of the query with the user's own frequencies. FTS5's scores know the
 * rows of all users, which flattens rare and common words and would tell one user about others. Figures: bench/RESULTS.md, "Prototype".
 */

/** `tokens`, `dt` and `ctx` are blind tokens, sorted, repeated, joined by single blanks. */
export interface Candidate {
  readonly id: string;
  /** Milliseconds UTC. */
  readonly createdAt: number;
  readonly importance: number;
  /** Of `tokens` and `dt` together. */
  readonly tokenCount: number;
  readonly tokens: string;
  readonly dt: string;
  /** What the neighbours hold; for messages only. */
  readonly ctx?: string;
  /** The conversation: its best rows lift all of its rows. */
  readonly group?: string;
}

export interface RankQuery {
  /** Every term of the query, those with df 0 and those left out of MATCH included. */
  readonly terms: readonly { readonly term: string; readonly df: number }[];
  /** The user's indexed rows of the kind. */
  readonly rows: number;
  /** The sum of their `tokenCount`. */
  readonly totalTokens: number;
}

export interface Ranking {
  readonly score: number;
  /** 0 to 1, two decimals: 0.5 is worth a look, 0.7 probably the answer. Not a probability. */
  readonly relevance: number;
  /** Blind tokens of the query found in `tokens` or `dt`, in the order of the query. */
  readonly matched: readonly string[];
}

/** Best first; ties by importance, then newer, then id. */
export function rank<C extends Candidate>(
  candidates: readonly C[],
  query: RankQuery,
): (C & Ranking)[] {
  const terms = weigh(query);
  const weightOfAll = sum([...terms.values()].map(({ idf }) => idf));
  const averageLength = averageLengthOf(candidates, query);
  const scored = candidates.map((candidate) => {
    const { own, matched } = scoreAlone(candidate, terms, averageLength);
    const covered = sum(matched.map((term) => terms.get(term)?.idf ?? 0));
    return { candidate, own, matched, coverage: weightOfAll > 0 ? covered / weightOfAll : 0 };
  });

  const lifts = liftByGroup(scored);
  const lifted = scored.map(({ candidate, own, matched, coverage }) => {
    const lift = candidate.group === undefined ? 0 : (lifts.get(candidate.group) ?? 0);
    return { candidate, score: own + lift, matched, coverage };
  });
  const top = lifted.reduce((best, { score }) => Math.max(best, score), 0);
  return lifted
    .map(({ candidate, score, matched, coverage }) => {
      const relevance = top > 0 ? Math.round(100 * Math.sqrt((coverage * score) / top)) / 100 : 0;
      return { ...candidate, score, relevance, matched };
    })
    .sort(byScore);
}

interface WeighedTerm {
  readonly idf: number;
  readonly at: number;
}

// BM25. All figures in bench/RESULTS.md were measured with these two.
const K1 = 0.9;
const B = 0.4;
/** Prototype: +8 to +10 points R@10 for messages. The same weight stands in the FTS5 table. */
const CTX_WEIGHT = 0.35;
/** Prototype: neighbours that a message has on average within ±2, for the average length only. */
const CTX_NEIGHBOURS = 3.5;
/** Prototype: without it R@10 falls by 1.4 points. */
const GROUP_WEIGHT = 0.1;
const GROUP_BEST = 3;

function weigh({ terms, rows }: RankQuery): Map<string, WeighedTerm> {
  const weighed = new Map<string, WeighedTerm>();
  for (const { term, df } of terms) {
    // An estimated df may exceed the rows, and the logarithm must stay positive.
    const known = Math.min(Math.max(df, 0), rows);
    const idf = Math.log(1 + (rows - known + 0.5) / (known + 0.5));
    if (!weighed.has(term)) weighed.set(term, { idf, at: weighed.size });
  }
  return weighed;
}

function averageLengthOf(
  candidates: readonly Candidate[],
  { rows, totalTokens }: RankQuery,
): number {
  const own = rows > 0 && totalTokens > 0 ? totalTokens / rows : 1;
  const hasContext = candidates.some(({ ctx }) => ctx !== undefined);
  return hasContext ? own * (1 + CTX_WEIGHT * CTX_NEIGHBOURS) : own;
}

function scoreAlone(
  { tokens, dt, ctx = "", tokenCount }: Candidate,
  terms: ReadonlyMap<string, WeighedTerm>,
  averageLength: number,
): { own: number; matched: string[] } {
  const ownCounts = new Float64Array(terms.size);
  const ctxCounts = new Float64Array(terms.size);
  count(tokens, terms, ownCounts);
  count(dt, terms, ownCounts);
  const ctxLength = count(ctx, terms, ctxCounts);

  const length = tokenCount + CTX_WEIGHT * ctxLength;
  const damping = K1 * (1 - B + (B * length) / averageLength);
  let own = 0;
  const matched: string[] = [];
  for (const [term, { idf, at }] of terms) {
    const found = ownCounts[at] ?? 0;
    const frequency = found + CTX_WEIGHT * (ctxCounts[at] ?? 0);
    if (frequency > 0) own += (idf * frequency * (K1 + 1)) / (frequency + damping);
    if (found > 0) matched.push(term);
  }
  return { own, matched };
}

/** Adds how often each term stands in `column`; returns the number of its tokens. */
function count(
  column: string,
  terms: ReadonlyMap<string, WeighedTerm>,
  counts: Float64Array,
): number {
  if (column === "") return 0;
  const tokens = column.split(" ");
  for (const token of tokens) {
    const term = terms.get(token);
    if (term !== undefined) counts[term.at] = (counts[term.at] ?? 0) + 1;
  }
  return tokens.length;
}

function liftByGroup(
  scored: readonly { readonly candidate: Candidate; readonly own: number }[],
): Map<string, number> {
  const scores = new Map<string, number[]>();
  for (const { candidate, own } of scored) {
    if (candidate.group === undefined) continue;
    const group = scores.get(candidate.group);
    if (group === undefined) scores.set(candidate.group, [own]);
    else group.push(own);
  }
  const lifts = new Map<string, number>();
  for (const [group, all] of scores) {
    const best = all.sort((a, b) => b - a).slice(0, GROUP_BEST);
    lifts.set(group, GROUP_WEIGHT * sum(best));
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
