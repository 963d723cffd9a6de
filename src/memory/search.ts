/** Search over memories: blind full text for candidates, BM25 with the user's own frequencies, decryption of what is returned. */
import { CANDIDATES, searchIndex } from "../search/candidates.ts";
import type { Ranking } from "../search/rank.ts";
import { matchedWords, snippet } from "../search/snippet.ts";
import { takeWithinBudget, estimateTokens } from "../search/token-budget.ts";
import { tokenizeQuery, tokenizeText } from "../search/tokenize.ts";
import type { MemoryFilter, MemoryRow } from "../storage/memories.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { blindTokens } from "../vault/blind.ts";
import { openListing, type Listing, type PagedRequest } from "../vault/cursor.ts";
import { resolveFilter, type MemoryFilterNames } from "./filter.ts";
import { openMemory, type Memory, type MemoryText } from "./memory.ts";

export interface SearchRequest extends MemoryFilterNames, PagedRequest {
  /** Empty: the newest memories. */
  readonly query: string;
  readonly minRelevance: number;
}

export interface MemoryHit {
  readonly memory: Memory;
  /** Given instead of long content. */
  readonly snippet: string | null;
  /** False: offered because nothing, or nothing good, matched. */
  readonly matched: boolean;
  readonly relevance: number;
  readonly why: readonly string[];
}

export interface SearchPage {
  readonly hits: readonly MemoryHit[];
  /** Of the matches; suggestions do not count. */
  readonly total: number;
  readonly nextCursor: string | null;
}

/** Content up to this many characters is given whole, longer content as a snippet of the other size. Arbitrary. */
export const WHOLE_CHARS = 600;
export const SNIPPET_CHARS = 320;
/** Below it a best hit is weak: half of such queries have no answer among the matches. */
const WEAK_RELEVANCE = 0.3;
const SUGGESTIONS = 8;

/** Never throws on what stands in `query`. @throws UserError invalid_input (cursor) */
export async function searchMemories(
  at: OpenAccount,
  request: SearchRequest,
  now: number,
): Promise<SearchPage> {
  const listing = await openListing<number>(at.keys, "search", request);
  const offset = listing.place ?? 0;
  const names = { ...request, ...listing.dates };
  const filter = await resolveFilter(at.keys, names, "active", now);

  const terms = tokenizeQuery(request.query);
  if (terms.length === 0) {
    const isEmpty = request.query.trim() === "";
    const why = isEmpty ? "newest first" : "no word of the query can be searched for: newest first";
    return recent(at, filter, { ...request, listing, offset, why, matched: isEmpty });
  }

  const plain = new Set(terms.map(({ token }) => token));
  const ranked = (await rankedMemories(at, await blindTokens(at.keys, [...plain]), filter)).filter(
    ({ relevance }) => relevance > 0 && relevance >= request.minRelevance,
  );
  const opened = await Promise.all(
    ranked.slice(offset, offset + request.limit).map(async (row): Promise<MemoryHit> => {
      const memory = await openMemory(at.keys, row);
      return hitOf(memory, plain, { matched: true, relevance: row.relevance });
    }),
  );
  const hits = takeWithinBudget(opened, request.maxTokens, costOf);
  const next = offset + hits.length;
  const isWeak = offset === 0 && (ranked[0]?.relevance ?? 0) < WEAK_RELEVANCE;
  const suggestions = isWeak ? await suggest(at, filter, hits, request.maxTokens) : [];
  return {
    hits: [...hits, ...suggestions],
    total: ranked.length,
    nextCursor: next < ranked.length ? await listing.cursorAt(next) : null,
  };
}

/** The memories that hold any of these distinct blind tokens, best first. */
export function rankedMemories(
  at: OpenAccount,
  terms: readonly string[],
  filter: MemoryFilter,
): Promise<(MemoryRow & Ranking)[]> {
  return searchIndex(
    {
      statistics: (asked) => at.memories.statistics(asked),
      find: (match, order, limit) => at.memories.candidates(match, order, filter, limit),
    },
    terms,
  );
}

async function recent(
  at: OpenAccount,
  filter: MemoryFilter,
  request: SearchRequest & {
    listing: Listing<number>;
    offset: number;
    why: string;
    matched: boolean;
  },
): Promise<SearchPage> {
  // Places in a listing by time; the cursor's offset is enough, because a search is limited to its candidates anyway.
  const { rows, total } = await at.memories.list(filter, "newest", {
    from: null,
    limit: Math.min(request.offset + request.limit, CANDIDATES),
  });
  const opened = await Promise.all(
    rows.slice(request.offset).map(async (row): Promise<MemoryHit> => {
      const hit = hitOf(await openMemory(at.keys, row), new Set(), {
        matched: request.matched,
        relevance: 0,
      });
      return { ...hit, why: [request.why] };
    }),
  );
  const hits = takeWithinBudget(opened, request.maxTokens, costOf);
  const next = request.offset + hits.length;
  const reachable = Math.min(total, CANDIDATES);
  return {
    hits,
    total: request.matched ? total : 0,
    nextCursor: next < reachable && hits.length > 0 ? await request.listing.cursorAt(next) : null,
  };
}

/** So that a small memory is never "empty" because the question shares no word with the fact. */
async function suggest(
  at: OpenAccount,
  filter: MemoryFilter,
  hits: readonly MemoryHit[],
  maxTokens: number,
): Promise<MemoryHit[]> {
  const left = maxTokens - hits.reduce((sum, hit) => sum + costOf(hit), 0);
  if (hits.length > 0 && left <= 0) return [];
  const shown = new Set(hits.map(({ memory }) => memory.id));
  const { rows } = await at.memories.list(filter, "important", {
    from: null,
    limit: SUGGESTIONS + shown.size,
  });
  const opened = await Promise.all(
    rows
      .filter(({ id }) => !shown.has(id))
      .slice(0, SUGGESTIONS)
      .map(async (row): Promise<MemoryHit> => {
        const hit = hitOf(await openMemory(at.keys, row), new Set(), {
          matched: false,
          relevance: 0,
        });
        return { ...hit, why: ["shares no word with the query; important or recent"] };
      }),
  );
  return takeWithinBudget(opened, left, costOf);
}

function hitOf(
  memory: Memory,
  tokens: ReadonlySet<string>,
  { matched, relevance }: { matched: boolean; relevance: number },
): MemoryHit {
  const isLong = memory.content.length > WHOLE_CHARS;
  return {
    memory,
    snippet: isLong ? snippet(memory.content, tokens, SNIPPET_CHARS) : null,
    matched,
    relevance,
    why: reasonsOf(memory, tokens),
  };
}

/** Names the matched words as the person wrote them, and the field that holds them. */
function reasonsOf(text: MemoryText, tokens: ReadonlySet<string>): string[] {
  if (tokens.size === 0) return [];
  const reasons: string[] = [];
  const words = matchedWords(text.content, tokens);
  if (words.length > 0) reasons.push(`content: ${words.join(", ")}`);
  const tags = text.tags.filter((tag) => holdsAny(tag, tokens));
  if (tags.length > 0) reasons.push(`tags: ${tags.join(", ")}`);
  if (text.project !== undefined && holdsAny(text.project, tokens)) {
    reasons.push(`project: ${text.project}`);
  }
  if ((text.askedAs ?? []).some((question) => holdsAny(question, tokens))) {
    reasons.push("a question that it answers");
  }
  return reasons.length > 0 ? reasons : ["date"];
}

function holdsAny(text: string, tokens: ReadonlySet<string>): boolean {
  return tokenizeText(text).some((token) => tokens.has(token));
}

/** Tokens of a hit in the answer, with the names of its fields. */
function costOf({ memory, snippet: cut, why }: MemoryHit): number {
  return (
    60 +
    estimateTokens(cut ?? memory.content) +
    estimateTokens([...memory.tags, ...why, memory.project ?? ""].join(" "))
  );
}
