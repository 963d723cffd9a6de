/** Search over messages: the same engine as for memories, with the conversation around each message as context. */
import { searchIndex } from "../search/candidates.ts";
import { holdsPhrase } from "../search/query.ts";
import { blindQuery, matchingTokens, readQuery, type ReadQuery } from "../search/read-query.ts";
import { markWords, matchedWords, opening, snippet, type MarkedText } from "../search/snippet.ts";
import { estimateTokens, takeWithinBudget } from "../search/token-budget.ts";
import { tokenizeText } from "../search/tokenize.ts";
import { ASKS_TOKEN, asksForTime, TIME_WORDS } from "../search/turns.ts";
import { memberNamed, ROLES, SOURCES, type Role, type Source } from "../storage/closed-lists.ts";
import type { MessageFilter, MessagePlace, MessageRow } from "../storage/conversations.ts";
import { MESSAGE_CANDIDATES } from "../storage/message-index.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { blindTokens } from "../vault/blind.ts";
import { openListing, type PagedRequest } from "../vault/cursor.ts";
import {
  openConversation,
  openMessage,
  readable,
  type Conversation,
  type Message,
} from "./conversation.ts";

export interface ConversationSearchRequest extends PagedRequest {
  /** Empty: the openings of the latest conversations. */
  readonly query: string;
  /** Only in this one. */
  readonly conversation?: string | undefined;
  readonly source?: Source | undefined;
  readonly role?: Role | undefined;
  /** `conversation`: the best message of each, those conversations first of which most was found. */
  readonly by: "message" | "conversation";
}

export interface MessageHit {
  readonly conversation: Conversation;
  readonly message: Message;
  readonly snippet: string;
  /** What was said just before and after, cut short. */
  readonly before: Neighbour | null;
  readonly after: Neighbour | null;
  readonly relevance: number;
  readonly why: readonly string[];
}

export interface Neighbour {
  readonly id: string;
  readonly role: string;
  readonly text: string;
}

export interface MessagePage {
  readonly hits: readonly MessageHit[];
  readonly total: number;
  readonly nextCursor: string | null;
}

/** Arbitrary: a paragraph for the hit, a line for its neighbours. */
const SNIPPET_CHARS = 400;
const NEIGHBOUR_CHARS = 120;
/** Opened to look for quoted words; arbitrary. */
const PHRASE_CANDIDATES = 150;
/** For the few conversations that are offered: each reads some six rows, and fewer find nearly as well (bench/RESULTS.md, "Budget"). */
const OFFER_CANDIDATES = 32;
/** bench/RESULTS.md, "Prototype": conversations by the sum of their best three messages. */
const BEST_OF = 3;

/** Never throws on what stands in `query`. @throws UserError invalid_input (cursor) */
export async function searchConversations(
  at: OpenAccount,
  request: ConversationSearchRequest,
  now: number,
): Promise<MessagePage> {
  const { limit, maxTokens, conversation, source, role } = request;
  const listing = await openListing<number>(at.keys, "messages", request);
  const offset = listing.place ?? 0;
  const read = readMessageQuery(at, request.query, now);
  const given: MessageFilter = {
    ...(conversation === undefined ? {} : { conversation }),
    ...(source === undefined ? {} : { source }),
    ...(role === undefined ? {} : { role }),
    ...listing.dates,
  };
  const { rows, replaced } =
    read.terms.length === 0 ? await latest(at, read, given) : await findMessages(at, read, given);
  const ranked = request.by === "conversation" ? bestOfEach(rows) : rows;

  const plain = matchingTokens(read, replaced);
  const opened = await openHits(at, ranked.slice(offset, offset + limit), plain);
  const hits = takeWithinBudget(opened, maxTokens, costOf);
  const next = offset + hits.length;
  return {
    hits,
    total: ranked.length,
    nextCursor: next < ranked.length && hits.length > 0 ? await listing.cursorAt(next) : null,
  };
}

/** The conversations of the best messages, each once; what `search_memory` offers beside its hits. */
export async function matchingConversations(
  at: OpenAccount,
  query: string,
  {
    minRelevance,
    limit,
    now,
  }: { readonly minRelevance: number; readonly limit: number; readonly now: number },
): Promise<Conversation[]> {
  if (at.row.messages === 0) return [];
  const read = readMessageQuery(at, query, now);
  if (read.terms.length === 0) return [];
  const { rows: ranked } = await findMessages(at, read, {}, OFFER_CANDIDATES);
  const good = bestOfEach(ranked.filter(({ relevance }) => relevance >= minRelevance));
  const ids = good.slice(0, limit).map(({ conversation }) => conversation);
  if (ids.length === 0) return [];
  const rows = new Map((await at.conversations.getMany(ids)).map((row) => [row.id, row]));
  return Promise.all(
    ids.flatMap((id) => {
      const row = rows.get(id);
      return row === undefined ? [] : [openConversation(at.keys, row)];
    }),
  );
}

interface FoundMessage extends MessagePlace {
  readonly relevance: number;
  readonly score: number;
  readonly matched: readonly number[];
}

/** Conversations have no tags, and a project has no token of its own here: both are words. */
function readMessageQuery(at: OpenAccount, query: string, now: number): ReadQuery {
  const since = at.row.messageTokenizer;
  return readQuery(query, { operators: ["from"], now, timeZone: at.timeZone, since });
}

/** The openings of the latest conversations. */
async function latest(at: OpenAccount, read: ReadQuery, given: MessageFilter) {
  const { excluded } = await blindQuery(read, (tokens) => blindTokens(at.keys, tokens));
  const { filter } = await narrowedBy(at, read, { ...given, without: excluded });
  const openings =
    filter === null ? [] : await at.conversations.openings(filter, MESSAGE_CANDIDATES);
  const rows: FoundMessage[] = openings.map((place) => ({
    ...place,
    relevance: 0,
    score: 0,
    matched: [],
  }));
  return { rows, replaced: new Set<number>() };
}

/**
 * What `from:` adds: a role, a platform, or else who speaks. Null where it contradicts what was given.
 * `required`: their tokens, which stand in the index beside the words of a message, so that FTS5 need not score what the filter would drop.
 */
async function narrowedBy(
  at: OpenAccount,
  { from }: ReadQuery,
  given: MessageFilter,
): Promise<{ readonly filter: MessageFilter | null; readonly required: string[][] }> {
  let { role, source } = given;
  const speakers: string[] = [];
  for (const name of from) {
    const namedRole = memberNamed(ROLES, name) ?? undefined;
    const namedSource = memberNamed(SOURCES, name) ?? undefined;
    const contradicts =
      (namedRole !== undefined && role !== undefined && role !== namedRole) ||
      (namedSource !== undefined && source !== undefined && source !== namedSource);
    if (contradicts) return { filter: null, required: [] };
    role ??= namedRole;
    source ??= namedSource;
    if (namedRole === undefined && namedSource === undefined) speakers.push(name);
  }
  const [speaker, ...others] = await Promise.all(
    // Without the stems that a language would add: a name alone may be taken for another one than the whole name was.
    [speakers.join("\n"), role ?? "", source ?? ""].map((text) =>
      blindTokens(
        at.keys,
        tokenizeText(text).filter((token) => !token.startsWith("~")),
      ),
    ),
  );
  const filter: MessageFilter = {
    ...given,
    ...(role === undefined ? {} : { role }),
    ...(source === undefined ? {} : { source }),
    ...(speaker === undefined ? {} : { speaker }),
  };
  return { filter, required: [...(speaker ?? []), ...others.flat()].map((token) => [token]) };
}

async function findMessages(
  at: OpenAccount,
  read: ReadQuery,
  given: MessageFilter,
  candidates = MESSAGE_CANDIDATES,
): Promise<{ readonly rows: readonly FoundMessage[]; readonly replaced: ReadonlySet<number> }> {
  const times = asksForTime(read.words) ? tokenizeText(TIME_WORDS) : [];
  const blind = (tokens: readonly string[]) => blindTokens(at.keys, tokens);
  const [{ terms, phraseTerms, excluded }, [asksToken = ""], timeTokens] = await Promise.all([
    blindQuery(read, blind),
    blind([ASKS_TOKEN]),
    blind(times),
  ]);
  const { filter, required } = await narrowedBy(at, read, { ...given, without: excluded });
  if (filter === null) return { rows: [], replaced: new Set() };
  const index = at.messageIndex(filter, asksToken);
  const hints = times.length === 0 ? {} : { times: new Set(timeTokens) };
  if (read.phrases.length > 0) {
    const narrowed = { terms, required, phraseTerms, excluded, hints };
    const found = await searchIndex(index, { ...narrowed, candidates: PHRASE_CANDIDATES });
    const rows = await keepPhrases(at, found.rows, read.phrases);
    if (rows.length > 0) return { rows, replaced: found.replaced };
  }
  const isFiltered = filter.after !== undefined || filter.before !== undefined;
  const asked = { terms, required, excluded, isFiltered, hints, candidates };
  const { rows, replaced } = await searchIndex(index, asked);
  return { rows: rows.filter(({ matched }) => matched.length > 0), replaced };
}

/** The best message of each conversation; those conversations first whose best three messages score most together. */
function bestOfEach(found: readonly FoundMessage[]): FoundMessage[] {
  const byConversation = [...Map.groupBy(found, ({ conversation }) => conversation).values()];
  return byConversation
    .flatMap(([best, ...others]) => {
      const counted = [best, ...others.slice(0, BEST_OF - 1)];
      const total = counted.reduce((sum, hit) => sum + (hit?.score ?? 0), 0);
      return best === undefined ? [] : [{ best, total }];
    })
    .sort((a, b) => b.total - a.total)
    .map(({ best }) => best);
}

async function keepPhrases(
  at: OpenAccount,
  found: readonly FoundMessage[],
  phrases: readonly string[],
): Promise<FoundMessage[]> {
  const messages = await openAt(at, await at.conversations.messagesAt(found));
  return found.filter((place) => {
    const message = messages.get(placeKey(place));
    return (
      message !== undefined && phrases.every((phrase) => holdsPhrase(readable(message), phrase))
    );
  });
}

async function openHits(
  at: OpenAccount,
  found: readonly FoundMessage[],
  plain: ReadonlySet<string>,
): Promise<MessageHit[]> {
  if (found.length === 0) return [];
  const places = found.flatMap(({ conversation, position }) =>
    [position - 1, position, position + 1].map((near) => ({ conversation, position: near })),
  );
  const rows = await at.conversations.read(
    [...new Set(found.map(({ conversation }) => conversation))],
    // Two hits may have the same neighbour.
    [...new Map(places.map((place) => [placeKey(place), place])).values()],
  );
  const conversations = new Map(
    await Promise.all(
      rows.conversations.map(
        async (row) => [row.id, await openConversation(at.keys, row)] as const,
      ),
    ),
  );
  const messages = await openAt(at, rows.messages);
  const messageAt = (conversation: string, position: number) =>
    messages.get(placeKey({ conversation, position }));
  return found.flatMap(({ conversation: id, position, relevance }) => {
    const conversation = conversations.get(id);
    const message = messageAt(id, position);
    if (conversation === undefined || message === undefined) return [];
    const text = readable(message);
    const marked = plain.size === 0 ? null : markWords(text, plain);
    return [
      {
        conversation,
        message,
        snippet: marked === null ? opening(text, SNIPPET_CHARS) : snippet(marked, SNIPPET_CHARS),
        before: neighbourOf(messageAt(id, position - 1)),
        after: neighbourOf(messageAt(id, position + 1)),
        relevance,
        why: reasonsOf(marked, conversation, plain),
      },
    ];
  });
}

/** By place. */
async function openAt(
  at: OpenAccount,
  rows: readonly MessageRow[],
): Promise<ReadonlyMap<string, Message>> {
  return new Map(
    await Promise.all(
      rows.map(async (row) => [placeKey(row), await openMessage(at.keys, row)] as const),
    ),
  );
}

function placeKey({ conversation, position }: MessagePlace): string {
  return `${conversation} ${position}`;
}

function neighbourOf(message: Message | undefined): Neighbour | null {
  if (message === undefined) return null;
  return {
    id: message.id,
    role: message.role,
    text: opening(readable(message), NEIGHBOUR_CHARS),
  };
}

/** `message` null: nothing was asked for. */
function reasonsOf(
  message: MarkedText | null,
  conversation: Conversation,
  plain: ReadonlySet<string>,
): string[] {
  if (message === null) return ["latest conversations first"];
  const reasons: string[] = [];
  const words = matchedWords(message);
  if (words.length > 0) reasons.push(`text: ${words.join(", ")}`);
  const inTitle = matchedWords(markWords(conversation.title, plain));
  if (inTitle.length > 0) reasons.push(`title: ${inTitle.join(", ")}`);
  return reasons.length > 0 ? reasons : ["the turns around it, its date or who said it"];
}

function costOf({ snippet: cut, before, after, conversation }: MessageHit): number {
  return (
    90 + estimateTokens([cut, before?.text ?? "", after?.text ?? "", conversation.title].join(" "))
  );
}
