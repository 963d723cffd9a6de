/** Search over messages: the same engine as for memories, with the conversation around each message as context. */
import { CANDIDATES, searchIndex } from "../search/candidates.ts";
import type { Candidate } from "../search/rank.ts";
import { matchedWords, snippet } from "../search/snippet.ts";
import { estimateTokens, takeWithinBudget } from "../search/token-budget.ts";
import { tokenizeQuery } from "../search/tokenize.ts";
import type { Role, Source } from "../storage/closed-lists.ts";
import type { MessageCandidate, MessageFilter } from "../storage/conversations.ts";
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
  readonly source?: Source | undefined;
  readonly role?: Role | undefined;
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

/** Never throws on what stands in `query`. @throws UserError invalid_input (cursor) */
export async function searchConversations(
  at: OpenAccount,
  request: ConversationSearchRequest,
): Promise<MessagePage> {
  const { limit, maxTokens, source, role } = request;
  const listing = await openListing<number>(at.keys, "messages", request);
  const offset = listing.place ?? 0;
  const filter: MessageFilter = {
    ...(source === undefined ? {} : { source }),
    ...(role === undefined ? {} : { role }),
    ...listing.dates,
  };
  const terms = tokenizeQuery(request.query);
  const plain = new Set(terms.map(({ token }) => token));
  const ranked =
    terms.length === 0
      ? (await at.conversations.openings(filter, CANDIDATES)).map((row) => ({
          ...row,
          relevance: 0,
        }))
      : await rankedMessages(at, [...plain], filter);

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
  { minRelevance, limit }: { readonly minRelevance: number; readonly limit: number },
): Promise<Conversation[]> {
  const tokens = tokenizeQuery(query).map(({ token }) => token);
  if (tokens.length === 0) return [];
  const ranked = await rankedMessages(at, tokens, {});
  const ids = [
    ...new Set(
      ranked
        .filter(({ relevance }) => relevance >= minRelevance)
        .map(({ conversation }) => conversation),
    ),
  ].slice(0, limit);
  const rows = new Map((await at.conversations.getMany(ids)).map((row) => [row.id, row]));
  return Promise.all(
    ids.flatMap((id) => {
      const row = rows.get(id);
      return row === undefined ? [] : [openConversation(at.keys, row)];
    }),
  );
}

type Found = MessageCandidate & { readonly relevance: number };

async function rankedMessages(
  at: OpenAccount,
  tokens: readonly string[],
  filter: MessageFilter,
): Promise<Found[]> {
  const ranked = await searchIndex(
    {
      statistics: (asked) => at.conversations.statistics(asked),
      find: async (match, order, limit) =>
        (await at.conversations.candidates(match, order, filter, limit)).map(candidateOf),
    },
    await blindTokens(at.keys, tokens),
  );
  return ranked
    .filter(({ relevance }) => relevance > 0)
    .map(({ row, relevance }) => ({ ...row, relevance }));
}

function candidateOf(row: MessageCandidate): Candidate & { readonly row: MessageCandidate } {
  const { id, tokenCount, tokens, dt, ctx, conversation } = row;
  return {
    id,
    createdAt: row.createdAt ?? 0,
    importance: 0,
    tokenCount,
    tokens,
    dt,
    ctx,
    group: conversation,
    row,
  };
}

async function openHits(
  at: OpenAccount,
  found: readonly Found[],
  plain: ReadonlySet<string>,
): Promise<MessageHit[]> {
  if (found.length === 0) return [];
  const [conversationRows, neighbourRows] = await Promise.all([
    at.conversations.getMany([...new Set(found.map(({ conversation }) => conversation))]),
    at.conversations.neighbours(
      found.map(({ conversation, position }) => ({ conversation, position })),
    ),
  ]);
  const conversations = new Map(
    await Promise.all(
      conversationRows.map(async (row) => [row.id, await openConversation(at.keys, row)] as const),
    ),
  );
  const neighbours = new Map(
    await Promise.all(
      neighbourRows.map(
        async (row) =>
          [placeKey(row.conversation, row.position), await openMessage(at.keys, row)] as const,
      ),
    ),
  );
  return found.flatMap(({ conversation: id, position, relevance }) => {
    const conversation = conversations.get(id);
    const message = neighbours.get(placeKey(id, position));
    if (conversation === undefined || message === undefined) return [];
    return [
      {
        conversation,
        message,
        snippet: snippet(readable(message), plain, SNIPPET_CHARS),
        before: neighbourOf(neighbours.get(placeKey(id, position - 1))),
        after: neighbourOf(neighbours.get(placeKey(id, position + 1))),
        relevance,
        why: reasonsOf(message, conversation, plain),
      },
    ];
  });
}

function placeKey(conversation: string, position: number): string {
  return `${conversation} ${position}`;
}

function neighbourOf(message: Message | undefined): Neighbour | null {
  if (message === undefined) return null;
  return {
    id: message.id,
    role: message.role,
    text: snippet(readable(message), new Set(), NEIGHBOUR_CHARS),
  };
}

function reasonsOf(
  message: Message,
  conversation: Conversation,
  plain: ReadonlySet<string>,
): string[] {
  if (plain.size === 0) return ["latest conversations first"];
  const reasons: string[] = [];
  const words = matchedWords(readable(message), plain);
  if (words.length > 0) reasons.push(`text: ${words.join(", ")}`);
  const inTitle = matchedWords(conversation.title, plain);
  if (inTitle.length > 0) reasons.push(`title: ${inTitle.join(", ")}`);
  return reasons.length > 0 ? reasons : ["the turns around it, its date or who said it"];
}

function costOf({ snippet: cut, before, after, conversation }: MessageHit): number {
  return (
    90 + estimateTokens([cut, before?.text ?? "", after?.text ?? "", conversation.title].join(" "))
  );
}
