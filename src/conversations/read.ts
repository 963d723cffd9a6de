import { UserError } from "../errors.ts";
import { estimateTokens } from "../search/token-budget.ts";
import type { ConversationRow, MessageRow } from "../storage/conversations.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { makeCursor, readCursor } from "../vault/cursor.ts";
import {
  openConversation,
  openMessage,
  readable,
  type Conversation,
  type Message,
} from "./conversation.ts";

export interface ReadRequest {
  readonly id: string;
  /** Begin a little before this message. */
  readonly around?: string | undefined;
  readonly order: "asc" | "desc";
  readonly limit: number;
  readonly maxTokens: number;
  readonly cursor?: string | undefined;
}

/** `text` has the text of attachments too, so that one budget holds for all of it. */
export interface ReadMessage extends Omit<Message, "attachments"> {
  /** True when more of its text follows on the next page. */
  readonly isCut: boolean;
}

export interface ConversationPage {
  readonly conversation: Conversation;
  readonly messages: readonly ReadMessage[];
  readonly nextCursor: string | null;
}

/** How many turns stand before the message that was asked for. */
const TURNS_BEFORE = 3;

/** A position, and how many characters of that message were given already. */
type Place = readonly [position: number, offset: number];

/** Some messages by their places, for who shows all of a conversation and reads what is looked at. */
export interface Stretch {
  readonly conversation: Conversation;
  /** In order, each whole; fewer than asked for where they are long, and at least one. Not every place need have one. */
  readonly messages: readonly Message[];
  /** Behind the last place of the conversation. */
  readonly end: number;
}

/** What a page takes in at once; arbitrary. */
const STRETCH_CHARS = 400_000;

/** @throws UserError not_found (conversation or message), invalid_input (cursor) */
export async function readConversation(
  at: OpenAccount,
  request: ReadRequest,
): Promise<ConversationPage> {
  const row = await requireConversation(at, request.id);
  const { cursor, limit, maxTokens, ...asked } = request;
  const query = JSON.stringify(["read", asked]);
  const [position, offset] =
    cursor === undefined
      ? await startOf(at, request, row.messageCount)
      : await readCursor<Place>(at.keys, query, cursor);

  const rows = await at.conversations.messages(request.id, {
    position,
    order: request.order,
    limit: limit + 1,
  });
  const { page, next } = await fill(at, rows, { offset, limit, maxTokens });
  return {
    conversation: await openConversation(at.keys, row),
    messages: page,
    nextCursor: next === null ? null : await makeCursor(at.keys, query, next),
  };
}

/** @param around a message: it begins a little before that, instead of at `from` @throws UserError not_found (conversation or message) */
export async function readStretch(
  at: OpenAccount,
  id: string,
  request: { readonly from: number; readonly around?: string | undefined; readonly limit: number },
): Promise<Stretch> {
  const row = await requireConversation(at, id);
  const { from, around, limit } = request;
  const [position] =
    around === undefined
      ? [from]
      : await startOf(at, { id, around, order: "asc" }, row.messageCount);
  const [rows, end] = await Promise.all([
    at.conversations.messages(id, { position, order: "asc", limit }),
    at.conversations.endOf(id),
  ]);
  const messages: Message[] = [];
  let chars = 0;
  for (const messageRow of rows) {
    if (chars > STRETCH_CHARS) break;
    const { attachments = [], ...message } = await openMessage(at.keys, messageRow);
    const text = readable({ text: message.text, attachments });
    messages.push({ ...message, text });
    chars += text.length;
  }
  return { conversation: await openConversation(at.keys, row), messages, end };
}

async function requireConversation(at: OpenAccount, id: string): Promise<ConversationRow> {
  const row = await at.conversations.get(id);
  if (row !== null && row.status !== "trashed") return row;
  throw new UserError(
    "not_found",
    "There is no conversation with this id.",
    "Find ids with search_conversations or list_conversations.",
  );
}

async function startOf(
  at: OpenAccount,
  { id, around, order }: Pick<ReadRequest, "id" | "around" | "order">,
  messageCount: number,
): Promise<Place> {
  if (around === undefined) return [order === "asc" ? 0 : messageCount, 0];
  const position = await at.conversations.positionOf(id, around);
  if (position === null) {
    throw new UserError(
      "not_found",
      "There is no message with this id in the conversation.",
      "Send `around` as search_conversations gave it, or leave it out.",
    );
  }
  return [order === "asc" ? Math.max(0, position - TURNS_BEFORE) : position + TURNS_BEFORE, 0];
}

/** As many messages as the budget holds; one that is longer than the whole budget is given in parts. */
async function fill(
  at: OpenAccount,
  rows: readonly MessageRow[],
  { offset, limit, maxTokens }: { offset: number; limit: number; maxTokens: number },
): Promise<{ page: ReadMessage[]; next: Place | null }> {
  const page: ReadMessage[] = [];
  let left = maxTokens;
  for (const [index, row] of rows.entries()) {
    if (index === limit) return { page, next: [row.position, 0] };
    const { attachments = [], ...message } = await openMessage(at.keys, row);
    const from = index === 0 ? offset : 0;
    const text = readable({ text: message.text, attachments }).slice(from);
    const cost = 25 + estimateTokens(text);
    if (cost <= left) {
      page.push({ ...message, text, isCut: false });
      left -= cost;
      continue;
    }
    if (page.length > 0) return { page, next: [row.position, from] };
    const part = cutTo(text, left);
    page.push({ ...message, text: part, isCut: true });
    return { page, next: [row.position, from + part.length] };
  }
  return { page, next: null };
}

/** The longest beginning that the budget holds, never between the halves of a surrogate pair. At least one character. */
function cutTo(text: string, maxTokens: number): string {
  let end = text.length;
  while (end > 1 && estimateTokens(text.slice(0, end)) > maxTokens) end = Math.floor(end * 0.8);
  const isInside = /[\ud800-\udbff]$/.test(text.slice(0, end));
  return text.slice(0, isInside ? end + 1 : end);
}
