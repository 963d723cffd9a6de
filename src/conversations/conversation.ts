/** Conversations and messages as the domain knows them, and their way into sealed rows and back. */
import { dateTokens, tokenizeText, TOKENIZER_VERSION } from "../search/tokenize.ts";
import { ASKS_TOKEN, endsByAsking } from "../search/turns.ts";
import type { Role, Source } from "../storage/closed-lists.ts";
import type { ConversationRow, MessageRow } from "../storage/conversations.ts";
import type { SealedConversation, SealedMessage } from "../storage/imports.ts";
import type { MemoryStatus } from "../storage/schema.ts";
import { blindTokens, contentHash } from "../vault/blind.ts";
import type { Keys } from "../vault/keys.ts";
import type { MessageProvenance, Provenance } from "../vault/provenance.ts";
import { openJson, sealJson } from "../vault/seal.ts";

export interface Attachment {
  readonly name: string;
  readonly text?: string;
}

/** The sealed part of a conversation's row. */
export interface ConversationText {
  readonly title: string;
  readonly project?: string;
  /** For exports, and for links back to the platform. */
  readonly provenance?: Provenance;
}

/** The sealed part of a message's row. */
export interface MessageText {
  readonly text: string;
  /** Of who speaks, where the platform says it. */
  readonly name?: string;
  readonly model?: string;
  readonly attachments?: readonly Attachment[];
  readonly provenance?: MessageProvenance;
}

export interface Conversation extends ConversationText {
  readonly id: string;
  readonly source: Source;
  readonly client: string;
  readonly status: MemoryStatus;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly messageCount: number;
}

export interface Message extends MessageText {
  readonly id: string;
  readonly conversation: string;
  readonly position: number;
  readonly role: Role;
  readonly createdAt: number | null;
}

/** 13 bytes each: 455 KB of a row, and below D1's 2 MB for the four neighbours that make a context. Words beyond it are kept and not found. */
const MAX_INDEXED_TOKENS = 35_000;

export type ConversationFacts = Omit<
  SealedConversation,
  "body" | "bodyVersion" | "keyVersion" | "hash"
>;
export type MessageFacts = Omit<
  SealedMessage,
  | "body"
  | "bodyVersion"
  | "keyVersion"
  | "tokens"
  | "dt"
  | "speaker"
  | "tokenCount"
  | "tokenizerVersion"
  | "sizeBytes"
>;

export async function sealConversation(
  keys: Keys,
  facts: ConversationFacts,
  { text, hash }: { readonly text: ConversationText; readonly hash: string },
): Promise<SealedConversation> {
  const body = await sealJson(
    keys,
    { id: facts.id, version: facts.version, kind: "conversation" },
    text,
  );
  return { ...facts, hash, bodyVersion: facts.version, keyVersion: keys.version, body };
}

/** Tells whether a newer export changed the conversation itself. */
export function conversationHash(
  keys: Keys,
  text: ConversationText,
  updatedAt: number | null,
): Promise<string> {
  return contentHash(keys, JSON.stringify([text.title, text.project ?? "", updatedAt]));
}

/** `title`: of the conversation, for its first message, which is found by the title's words too. */
export function messageHash(
  keys: Keys,
  role: Role,
  text: MessageText,
  { createdAt, title }: { readonly createdAt: number | null; readonly title: string | null },
): Promise<string> {
  return contentHash(
    keys,
    JSON.stringify([
      role,
      text.text,
      text.model,
      text.attachments,
      createdAt,
      title,
      ...(text.name === undefined ? [] : [text.name]),
    ]),
  );
}

interface IndexContext {
  /** Of the conversation, for its first message only. */
  readonly title: string | null;
  readonly source: Source;
  readonly timeZone: string;
  readonly blind: BlindWords;
}

export async function sealMessage(
  keys: Keys,
  facts: MessageFacts,
  { text, ...context }: IndexContext & { readonly text: MessageText },
): Promise<SealedMessage> {
  const [body, indexed] = await Promise.all([
    sealJson(keys, { id: facts.id, version: facts.version, kind: "message" }, text),
    indexMessage(facts, text, context),
  ]);
  return {
    ...facts,
    ...indexed,
    bodyVersion: facts.version,
    keyVersion: keys.version,
    sizeBytes: body.length / 2,
    body,
  };
}

export type IndexedMessage = Pick<
  SealedMessage,
  "tokens" | "dt" | "speaker" | "tokenCount" | "tokenizerVersion"
>;

/** What the full-text index holds of a message. `dt`: words of its day, of who speaks, and of the conversation's title. */
export async function indexMessage(
  { createdAt, role }: Pick<MessageFacts, "createdAt" | "role">,
  { text, name, attachments = [] }: MessageText,
  { title, source, timeZone, blind }: IndexContext,
): Promise<IndexedMessage> {
  const attached = attachments.flatMap((file) => [file.name, file.text ?? ""]);
  const words = tokenizeText([text, ...attached].join("\n")).slice(0, MAX_INDEXED_TOKENS);
  // A platform's name stands for what answers there.
  // Each alone, because together they may look like a sentence of another language ("user le_chat").
  const speakerWords = [name ?? "", role, role === "assistant" ? source : ""].flatMap(tokenizeText);
  const about = [
    ...(createdAt === null ? [] : dateTokens(createdAt, timeZone)),
    ...speakerWords,
    ...(role === "assistant" ? [] : tokenizeText(source)),
    ...(endsByAsking(text) ? [ASKS_TOKEN] : []),
    ...(title === null ? [] : tokenizeText(title)),
  ];
  const [tokens, dt, speaker] = await Promise.all([
    blind(words),
    blind(about),
    blind(speakerWords),
  ]);
  return {
    tokens,
    dt,
    speaker,
    tokenCount: words.length + about.length,
    tokenizerVersion: TOKENIZER_VERSION,
  };
}

/** Plain tokens in, a column of sorted blind tokens out; shared by an import so that each word is blinded once. */
export type BlindWords = (tokens: readonly string[]) => Promise<string>;

/** Enough for the vocabulary of a long life; 30 MB. */
const MAX_BLINDED_WORDS = 300_000;

/** @param known plain words and their blind tokens, so that each is blinded once: a dictionary that must not outlive its import */
export function rememberingBlinder(keys: Keys, known: Map<string, string> = new Map()): BlindWords {
  // Many texts ask at once, and mostly for the same words.
  const asked = new Map<string, Promise<void>>();
  async function learn(words: readonly string[]): Promise<void> {
    const blinded = await blindTokens(keys, words);
    for (const [index, word] of words.entries()) {
      known.set(word, blinded[index] ?? "");
      asked.delete(word);
    }
  }
  return async (tokens) => {
    if (known.size > MAX_BLINDED_WORDS) return (await blindTokens(keys, tokens)).sort().join(" ");
    const unknown = new Set(tokens.filter((token) => !known.has(token)));
    const waits = new Set<Promise<void>>();
    const fresh: string[] = [];
    for (const word of unknown) {
      const wait = asked.get(word);
      if (wait === undefined) fresh.push(word);
      else waits.add(wait);
    }
    if (fresh.length > 0) {
      const learning = learn(fresh);
      for (const word of fresh) asked.set(word, learning);
      waits.add(learning);
    }
    if (waits.size > 0) await Promise.all(waits);
    return tokens
      .map((token) => known.get(token) ?? "")
      .sort()
      .join(" ");
  };
}

interface SealedRow {
  readonly id: string;
  readonly bodyVersion: number;
  readonly body: string;
}

export function openConversationText(keys: Keys, row: SealedRow): Promise<ConversationText> {
  return openJson(keys, { id: row.id, version: row.bodyVersion, kind: "conversation" }, row.body);
}

export function openMessageText(keys: Keys, row: SealedRow): Promise<MessageText> {
  return openJson(keys, { id: row.id, version: row.bodyVersion, kind: "message" }, row.body);
}

export async function openConversation(keys: Keys, row: ConversationRow): Promise<Conversation> {
  const text = await openConversationText(keys, row);
  const { id, source, client, status, createdAt, updatedAt, messageCount } = row;
  return { ...text, id, source, client, status, createdAt, updatedAt, messageCount };
}

/** What a message is opened from. */
type ReadableMessage = SealedRow &
  Pick<MessageRow, "conversation" | "position" | "role" | "createdAt">;

export async function openMessage(keys: Keys, row: ReadableMessage): Promise<Message> {
  const text = await openMessageText(keys, row);
  const { id, conversation, position, role, createdAt } = row;
  return { ...text, id, conversation, position, role, createdAt };
}

/** What was said, and what was attached to it. */
export function readable({ text, attachments = [] }: MessageText): string {
  const attached = attachments.map(({ name, text: inside }) =>
    inside === undefined ? `[${name}]` : `[${name}]\n${inside}`,
  );
  return [text, ...attached].filter((part) => part !== "").join("\n");
}
