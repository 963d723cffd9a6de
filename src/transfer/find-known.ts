/**
 * What is stored of the conversations of a batch. A chat without a platform's id is known by how it begins; where several begin alike and
 * go on otherwise, each later one is known by its first message that the others lack as well, whichever upload brings it.
 */
import { REMOVED_FROM } from "../storage/conversations.ts";
import type { AskedConversation, KnownConversation, KnownMessage } from "../storage/imports.ts";
import { isId } from "../vault/ids.ts";
import type { Keys } from "../vault/keys.ts";
import { itemKey, messageKey, type MessageProvenance } from "../vault/provenance.ts";
import type { ConversationPart } from "./batches.ts";
import type { IdentifiedConversation } from "./identify.ts";
import type { ImportRun } from "./import-run.ts";

/** A conversation or a part of one. */
export interface FoundConversation {
  readonly conversation: IdentifiedConversation;
  readonly part?: ConversationPart | undefined;
}

export interface KeyedConversation extends FoundConversation {
  readonly key: string;
}

/** What is known of a conversation's messages. */
export interface StoredMessages {
  /** In order. */
  readonly messages: readonly KnownMessage[];
  /** All are there. */
  readonly isComplete: boolean;
  /** Taken out of it by an undo. */
  readonly removed: readonly KnownMessage[];
}

export interface KnownOfBatch {
  readonly keyed: readonly KeyedConversation[];
  readonly conversations: readonly KnownConversation[];
  readonly messagesOf: (conversationId: string) => StoredMessages;
}

/** Chats that begin alike, told apart one after the other; those beyond are taken for the last. Arbitrary. */
const MAX_ALIKE = 8;

export async function findKnown(
  { at }: ImportRun,
  found: readonly FoundConversation[],
): Promise<KnownOfBatch> {
  const ownIds = found.flatMap(({ conversation }) => ownIdOf(conversation) ?? []);
  const keyed: KeyedConversation[] = [];
  const stored = new Map<string, KnownConversation>();
  const read = new Map<string, KnownMessage[]>();
  const readWhole = new Set<string>();
  const saidInBatch = new Map<string, readonly string[]>();
  const messagesOf = (id: string): StoredMessages => {
    const messages = read.get(id) ?? [];
    const isComplete = readWhole.has(id) || isDense(messages);
    return { messages, isComplete, removed: read.get(`${REMOVED_FROM}${id}`) ?? [] };
  };
  let open = found;
  for (let round = 1; open.length > 0; round++) {
    const asked = await Promise.all(open.map((one) => askedAbout(at.keys, one)));
    const known = await at.imports.known(asked, round === 1 ? ownIds : []);
    for (const row of known.conversations) {
      stored.set(row.originKey, row);
      if (ownIds.includes(row.id)) readWhole.add(row.id);
    }
    for (const { originKey, messages } of asked) {
      if (messages === null) readWhole.add(stored.get(originKey)?.id ?? "");
    }
    for (const [id, said] of Map.groupBy(known.messages, ({ conversation }) => conversation)) {
      read.set(id, inOrder([...(read.get(id) ?? []), ...said]));
    }
    const others: FoundConversation[] = [];
    for (const { originKey: key, one, opening } of asked) {
      const row = stored.get(key);
      const there = messagesOf(row?.id ?? "");
      const keysOf = (some: readonly KnownMessage[]) => some.map(({ originKey }) => originKey);
      const inBatch = saidInBatch.get(key) ?? [];
      const fork = differing(opening, {
        said: new Set([...keysOf(there.messages), ...inBatch]),
        saysMore: !there.isComplete && there.messages.length < (row?.messageCount ?? 0),
        removed: new Set(keysOf(there.removed)),
      });
      if (fork === null || round === MAX_ALIKE) {
        keyed.push({ ...one, key });
        saidInBatch.set(key, [...inBatch, ...opening.keys()]);
      } else {
        others.push({ part: one.part, conversation: forked(one.conversation, fork) });
      }
    }
    open = others;
  }
  return { keyed, conversations: [...stored.values()], messagesOf };
}

/** Cofio's own ids are kept, so that an export comes back as it was. Ids stand in rows in the clear, so nothing else that a file calls one may. */
export function ownIdOf({ ownId }: { readonly ownId?: string | undefined }): string | null {
  return isId(ownId) ? ownId : null;
}

interface AskedAbout extends AskedConversation {
  readonly one: FoundConversation;
  readonly opening: ReadonlyMap<string, MessageProvenance>;
}

async function askedAbout(keys: Keys, one: FoundConversation): Promise<AskedAbout> {
  const { conversation, part } = one;
  const originKey = await itemKey(keys, "conversation", conversation.provenance);
  const opening = await openingOf(keys, one, originKey);
  // An own id may be any stored message's.
  const hasOwnIds = [conversation, ...conversation.messages].some((item) => ownIdOf(item) !== null);
  if (part === undefined || hasOwnIds) return { one, originKey, opening, messages: null };
  const wanted = conversation.messages.map(({ provenance }) => provenance);
  if (part.previous !== null) wanted.push(part.previous);
  const messages = await Promise.all(wanted.map((said) => messageKey(keys, originKey, said)));
  return { one, originKey, opening, messages: [...messages, ...opening.keys()] };
}

/** Several copies of a conversation may have asked for the same ones. */
function inOrder(messages: readonly KnownMessage[]): KnownMessage[] {
  const byKey = new Map(messages.map((message) => [message.originKey, message]));
  return [...byKey.values()].sort((a, b) => a.position - b.position);
}

/** The first and the last are there, and so many as their places say. */
function isDense(messages: readonly KnownMessage[]): boolean {
  const last = messages.at(-1);
  return last === undefined || last.position === messages.length - 1;
}

/** The messages by which one chat is told from others that begin alike, by key; none where the platform's id does. */
async function openingOf(
  keys: Keys,
  { conversation: { provenance, messages }, part }: FoundConversation,
  key: string,
): Promise<ReadonlyMap<string, MessageProvenance>> {
  if (provenance.isDerived !== true) return new Map();
  const opening = part?.opening ?? messages.map((message) => message.provenance);
  return new Map(
    await Promise.all(
      opening.map(async (message) => [await messageKey(keys, key, message), message] as const),
    ),
  );
}

/** What is known of the other chat. */
interface OtherChat {
  /** Keys of its messages, and whether it has others. */
  readonly said: ReadonlySet<string>;
  readonly saysMore: boolean;
  readonly removed: ReadonlySet<string>;
}

/** The first message that is not in the other chat; null where one of them holds all of the other: it has grown. */
function differing(
  opening: ReadonlyMap<string, MessageProvenance>,
  { said, saysMore, removed }: OtherChat,
): MessageProvenance | null {
  if (!saysMore && said.isSubsetOf(opening)) return null;
  for (const [key, message] of opening) {
    if (!said.has(key) && !removed.has(key)) return message;
  }
  return null;
}

function forked(
  conversation: IdentifiedConversation,
  { id }: MessageProvenance,
): IdentifiedConversation {
  const { provenance } = conversation;
  return { ...conversation, provenance: { ...provenance, id: `${provenance.id}.${id}` } };
}
