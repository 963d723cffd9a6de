/** Conversations and messages as the domain knows them, and their way into sealed rows and back. */
import { dateTokens, TOKENIZER_VERSION } from "../search/tokenize.ts";
import { ASKS_TOKEN, endsByAsking } from "../search/turns.ts";
import type { Role, Source } from "../storage/closed-lists.ts";
import type { ConversationRow, MessageRow } from "../storage/conversations.ts";
import type { SealedConversation, SealedMessage } from "../storage/imports.ts";
import type { MemoryStatus } from "../storage/schema.ts";
import { contentHash } from "../vault/blind.ts";
import type { Keys } from "../vault/keys.ts";
import type { MessageProvenance, Provenance } from "../vault/provenance.ts";
import { openJson, sealJson } from "../vault/seal.ts";
import type { Indexer } from "./indexer.ts";

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
  /** Null: it is not in the trash. */
  readonly trashedAt: number | null;
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
  readonly indexer: Indexer;
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
  { title, source, timeZone, indexer }: IndexContext,
): Promise<IndexedMessage> {
  const { tokenize, tokenOf, blind } = indexer;
  const attached = attachments.flatMap((file) => [file.name, file.text ?? ""]);
  const words = tokenize([text, ...attached].join("\n")).slice(0, MAX_INDEXED_TOKENS);
  // A platform's name stands for what answers there.
  // Each alone, because together they may look like a sentence of another language ("user le_chat").
  const speakerWords = [name ?? "", role, role === "assistant" ? source : ""].flatMap(tokenize);
  const about = [
    ...(createdAt === null ? [] : dateTokens(createdAt, timeZone).map(tokenOf)),
    ...speakerWords,
    ...(role === "assistant" ? [] : tokenize(source)),
    ...(endsByAsking(text) ? [tokenOf(ASKS_TOKEN)] : []),
    ...(title === null ? [] : tokenize(title)),
  ];
  const [tokens = "", dt = "", speaker = ""] = await blind([words, about, speakerWords]);
  return {
    tokens,
    dt,
    speaker,
    tokenCount: words.length + about.length,
    tokenizerVersion: TOKENIZER_VERSION,
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
  const { id, source, client, status, createdAt, updatedAt, trashedAt, messageCount } = row;
  return { ...text, id, source, client, status, createdAt, updatedAt, trashedAt, messageCount };
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
