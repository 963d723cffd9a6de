/** Search over memories: blind full text for candidates, BM25 with the user's own frequencies, decryption of what is returned. */
import { searchIndex, type Found } from "../search/candidates.ts";
import { holdsPhrase } from "../search/query.ts";
import { blindQuery, matchingTokens, readQuery, type BlindQuery } from "../search/read-query.ts";
import { markWords, matchedWords, opening, snippet, type MarkedText } from "../search/snippet.ts";
import { takeWithinBudget, estimateTokens } from "../search/token-budget.ts";
import { tokenizeText, TOKENIZER_VERSION } from "../search/tokenize.ts";
import type { MemoryFilter } from "../storage/memory-filter.ts";
import { MEMORY_CANDIDATES } from "../storage/memory-candidates.ts";
import type { FoundMemory } from "../storage/memory-index.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { blindTokens } from "../vault/blind.ts";
import { openListing, type Listing, type PagedRequest } from "../vault/cursor.ts";
import { requiredTokens, resolveFilter, type MemoryFilterNames } from "./filter.ts";
import { openMemory, type Memory, type MemoryText } from "./memory.ts";

export interface SearchRequest extends MemoryFilterNames, PagedRequest {
  /** Empty: the newest memories. */
  readonly query: string;
  /** Not given: as the user's rules say. */
  readonly minRelevance?: number | undefined;
  /** Whether superseded and expired memories are wanted too. */
  readonly includePast?: boolean | undefined;
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
/** Opened to look for quoted words; arbitrary, some milliseconds. */
const PHRASE_CANDIDATES = 300;

/** Never throws on what stands in `query`. @throws UserError invalid_input (cursor) */
export async function searchMemories(
  at: OpenAccount,
  request: SearchRequest,
  now: number,
): Promise<SearchPage> {
  const listing = await openListing<number>(at.keys, "search", request);
  const offset = listing.place ?? 0;
  const since = at.row.memoryTokenizer;
  const read = readQuery(request.query, {
    operators: ["tag", "project", "from"],
    now,
    timeZone: at.timeZone,
    since,
  });
  const asked = await blindQuery(read, (tokens) => blindTokens(at.keys, tokens));
  const names = {
    ...request,
    ...listing.dates,
    alsoTags: read.tags,
    alsoProjects: read.projects,
    from: read.from,
  };
  const liveAt = request.includePast === true ? undefined : now;
  const filter: MemoryFilter = {
    ...(await resolveFilter(at.keys, names, "active", liveAt)),
    without: asked.excluded,
  };

  if (read.terms.length === 0) {
    const isAsked = read.words.trim() === "";
    const why = isAsked ? "newest first" : "no word of the query can be searched for: newest first";
    return recent(at, filter, { ...request, listing, offset, why, matched: isAsked });
  }

  const least = request.minRelevance ?? at.rules.relevanceThreshold;
  const found = await findMemories(at, { asked, phrases: read.phrases }, { filter, now });
  const ranked = found.rows.filter(
    ({ matched, relevance }) => matched.length > 0 && relevance >= least,
  );
  const plain = matchingTokens(read, found.replaced);
  const page = await openFound(at, ranked.slice(offset, offset + request.limit));
  const opened = page.map(({ row, memory }): MemoryHit => {
    const hit = hitOf(memory, plain, { matched: true, relevance: row.relevance });
    return found.note === null ? hit : { ...hit, why: [...hit.why, found.note] };
  });
  const hits = takeWithinBudget(opened, request.maxTokens, costOf);
  const next = offset + hits.length;
  const isWeak = offset === 0 && (ranked[0]?.relevance ?? 0) < WEAK_RELEVANCE;
  const room = request.limit - hits.length;
  const suggestions =
    isWeak && room > 0
      ? await suggest(at, filter, { hits, matching: found.rows, room, ...request })
      : [];
  return {
    hits: [...hits, ...suggestions],
    total: ranked.length,
    nextCursor: next < ranked.length ? await listing.cursorAt(next) : null,
  };
}

/** The living memories that hold any of these distinct blind tokens, best first. */
export async function memoriesLike(
  at: OpenAccount,
  tokens: readonly string[],
  { now, candidates }: { readonly now: number; readonly candidates: number },
): Promise<readonly FoundMemory[]> {
  const index = at.memoryIndex({ status: "active", liveAt: now });
  const terms = tokens.map((token) => ({ tokens: [token], synonyms: [] }));
  return (await searchIndex(index, { terms, candidates })).rows;
}

/** `note`: said with each hit, when a phrase was asked for that none of the best matches holds. */
async function findMemories(
  at: OpenAccount,
  {
    asked: { terms, phraseTerms, excluded },
    phrases,
  }: { readonly asked: BlindQuery; readonly phrases: readonly string[] },
  { filter, now }: { readonly filter: MemoryFilter; readonly now: number },
): Promise<Found<FoundMemory> & { readonly note: string | null }> {
  const index = at.memoryIndex(filter);
  // Rows of an older version hold no tokens for filters; the conditions in SQL hold for all.
  const isCurrent = at.row.memoryTokenizer === TOKENIZER_VERSION;
  const required = isCurrent
    ? await requiredTokens(at.keys, filter, { timeZone: at.timeZone, now })
    : [];
  if (phrases.length > 0) {
    const narrowed = { terms, required, phraseTerms, excluded };
    const found = await searchIndex(index, { ...narrowed, candidates: PHRASE_CANDIDATES });
    const rows = await keepPhrases(at, found.rows, phrases);
    if (rows.length > 0) return { rows, replaced: found.replaced, note: null };
  }
  const isFiltered =
    !isCurrent ||
    filter.client !== undefined ||
    (filter.from ?? []).length > 0 ||
    (filter.before !== undefined && filter.after === undefined);
  const found = await searchIndex(index, { terms, required, excluded, isFiltered });
  const note = "none of the best matches holds the quoted words one after the other";
  return { ...found, note: phrases.length > 0 ? note : null };
}

/** Opens rows that a search found. Long texts did not come along and are read now; a memory that went meanwhile is left out. */
export async function openFound<Row extends FoundMemory>(
  at: OpenAccount,
  rows: readonly Row[],
): Promise<{ readonly row: Row; readonly memory: Memory }[]> {
  const absent = rows.filter(({ body }) => body === null).map(({ id }) => id);
  const read = new Map((await at.memories.getMany(absent)).map((row) => [row.id, row]));
  const opened = await Promise.all(
    rows.map(async (row) => {
      const { body } = row;
      const readable = body === null ? read.get(row.id) : { ...row, body };
      return readable?.status === row.status
        ? { row, memory: await openMemory(at.keys, readable) }
        : null;
    }),
  );
  return opened.filter((found) => found !== null);
}

async function keepPhrases<Row extends FoundMemory>(
  at: OpenAccount,
  rows: readonly Row[],
  phrases: readonly string[],
): Promise<Row[]> {
  const opened = await openFound(at, rows);
  return opened
    .filter(({ memory }) =>
      phrases.every((phrase) =>
        [memory.content, ...memory.tags, memory.project ?? "", memory.path ?? ""].some((text) =>
          holdsPhrase(text, phrase),
        ),
      ),
    )
    .map(({ row }) => row);
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
    limit: Math.min(request.offset + request.limit, MEMORY_CANDIDATES),
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
  const reachable = Math.min(total, MEMORY_CANDIDATES);
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
  {
    hits,
    matching,
    room,
    maxTokens,
  }: {
    readonly hits: readonly MemoryHit[];
    readonly matching: readonly FoundMemory[];
    readonly room: number;
    readonly maxTokens: number;
  },
): Promise<MemoryHit[]> {
  const left = maxTokens - hits.reduce((sum, hit) => sum + costOf(hit), 0);
  if (hits.length > 0 && left <= 0) return [];
  const rows = await at.memories.first(filter, "important", {
    limit: Math.min(SUGGESTIONS, room),
    except: matching.map(({ id }) => id),
  });
  const opened = await Promise.all(
    rows.map(async (row): Promise<MemoryHit> => {
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
  const { content } = memory;
  const marked = tokens.size === 0 ? null : markWords(content, tokens);
  const shorten = () =>
    marked === null ? opening(content, SNIPPET_CHARS) : snippet(marked, SNIPPET_CHARS);
  return {
    memory,
    snippet: content.length > WHOLE_CHARS ? shorten() : null,
    matched,
    relevance,
    why: marked === null ? [] : reasonsOf(memory, marked, tokens),
  };
}

/** Names the matched words as the person wrote them, and the field that holds them. */
function reasonsOf(text: MemoryText, content: MarkedText, tokens: ReadonlySet<string>): string[] {
  const reasons: string[] = [];
  const words = matchedWords(content);
  if (words.length > 0) reasons.push(`content: ${words.join(", ")}`);
  const tags = text.tags.filter((tag) => holdsAny(tag, tokens));
  if (tags.length > 0) reasons.push(`tags: ${tags.join(", ")}`);
  if (text.project !== undefined && holdsAny(text.project, tokens)) {
    reasons.push(`project: ${text.project}`);
  }
  if (text.path !== undefined && holdsAny(text.path, tokens)) reasons.push(`path: ${text.path}`);
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
