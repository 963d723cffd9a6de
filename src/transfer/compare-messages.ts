/** The messages of a conversation, or of a part of one, compared with those that are stored: their order after the import, and which of them change. */
import { messageHash, type MessageText } from "../conversations/conversation.ts";
import type { KnownMessage } from "../storage/imports.ts";
import { CONTEXT_TURNS } from "../storage/message-index.ts";
import { messageKey } from "../vault/provenance.ts";
import { isTooLarge } from "./batches.ts";
import { mergeOrder, startOfMerge, type PartPlace, type Placed } from "./conversation-order.ts";
import { ownIdOf, type StoredMessages } from "./find-known.ts";
import type { IdentifiedMessage } from "./identify.ts";
import type { ImportRun } from "./import-run.ts";
import { storedKeyOf, type MatchedConversation } from "./match-conversations.ts";
import type { SkipReason } from "./records.ts";

export interface ComparedMessage extends Placed<IncomingMessage> {
  readonly isChanged: boolean;
  readonly removed: KnownMessage | null;
}

export interface ComparedMessages {
  /** In order; of a part also others around it. */
  readonly messages: readonly ComparedMessage[];
  /** Positions at which messages change, come or move to, and of the neighbours whose context they are. */
  readonly touched: ReadonlySet<number>;
  /** An older file only adds to what a newer one has brought. */
  readonly isOlder: boolean;
  /** Whoever brings the same again finds each message as it came. */
  readonly isExact: boolean;
}

/** A message of the file under the key that it is known by. */
interface KeyedMessage {
  readonly message: IdentifiedMessage;
  readonly key: string;
}

export interface IncomingMessage extends KeyedMessage {
  readonly hash: string;
  readonly text: MessageText;
  /** Of the conversation, for its first message only. */
  readonly title: string | null;
}

type TitledConversation = MatchedConversation & { readonly title: string };

/** Arbitrary. */
const MAX_NAME_CHARS = 100;

export async function compareMessages(
  run: ImportRun,
  one: TitledConversation,
  there: StoredMessages,
): Promise<ComparedMessages> {
  const { conversation, stored } = one;
  const isOlder =
    stored !== null && conversation.updatedAt !== null && conversation.updatedAt < stored.updatedAt;
  const { distinct, isExact } = await keyMessages(run, one, there);
  const place = await placeOf(run, one);

  const start = there.isComplete ? null : startOfMerge(distinct, there.messages, place);
  const around = start === null ? there : await withMessages(run, one, { there, from: start });
  const { placed, isTurned } = mergeOrder(distinct, around, place);
  const first = placed[0]?.key;
  const incoming = new Map(
    await Promise.all(
      distinct.map(async (keyed) => {
        const title = keyed.key === first ? one.title : null;
        return [keyed.key, await hashed(run, keyed, title)] as const;
      }),
    ),
  );
  const removed = new Map(there.removed.map((message) => [message.originKey, message]));
  const compared = ({ key, position, stored: known }: Placed<KeyedMessage>): ComparedMessage => {
    const now = incoming.get(key) ?? null;
    const isChanged = now !== null && (known === null || (!isOlder && known.hash !== now.hash));
    const was = known === null ? (removed.get(key) ?? null) : null;
    return { key, position, incoming: now, stored: known, removed: was, isChanged };
  };
  let messages = placed.map(compared);
  const changed = messages.flatMap(({ isChanged, position }) => (isChanged ? position : []));
  if (changed.length > 0 && !around.isComplete) {
    // Those around a part, whose context it is.
    const [from, to] = [Math.min(...changed), Math.max(...changed)];
    const wider = await withMessages(run, one, { there: around, from, to });
    messages = mergeOrder(distinct, wider, place).placed.map(compared);
  }
  return {
    messages,
    touched: touchedBy(messages),
    isOlder,
    isExact: isExact && !isTurned && !messages.some((message) => isCopy(run, message)),
  };
}

/** An earlier batch of the same import has brought it. */
export function isCopy(
  { operationId }: ImportRun,
  { incoming, isChanged, stored }: ComparedMessage,
): boolean {
  return incoming !== null && !isChanged && stored?.createdOp === operationId;
}

export function exampleOf({ text }: IdentifiedMessage): string {
  return text.slice(0, 120).toWellFormed();
}

/** Gives each message its key; leaves out what is too large, and copies. */
async function keyMessages(
  { at: { keys }, tally }: ImportRun,
  one: TitledConversation,
  { messages, removed }: StoredMessages,
): Promise<{ readonly distinct: readonly KeyedMessage[]; readonly isExact: boolean }> {
  const byId = new Map([...removed, ...messages].map(({ id, originKey }) => [id, originKey]));
  const conversationKey = storedKeyOf(one);
  const keyOf = async (message: IdentifiedMessage) =>
    byId.get(ownIdOf(message) ?? "") ?? messageKey(keys, conversationKey, message.provenance);
  const keyed = await Promise.all(
    one.conversation.messages.map(async (message) => ({ message, key: await keyOf(message) })),
  );
  const skip = (message: IdentifiedMessage, reason: SkipReason): false => {
    tally.skip("message", reason, 1, [exampleOf(message)]);
    return false;
  };
  const seen = new Set<string>();
  const distinct = keyed.filter(({ message, key }) => {
    if (isTooLarge(message)) return skip(message, "too_large");
    if (seen.has(key)) return skip(message, "duplicate_in_file");
    return seen.add(key);
  });
  return { distinct, isExact: distinct.length === keyed.length };
}

async function placeOf(
  { at, operationId }: ImportRun,
  one: TitledConversation,
): Promise<PartPlace> {
  const previous = one.part?.previous ?? null;
  return {
    previous: previous === null ? null : await messageKey(at.keys, storedKeyOf(one), previous),
    isLast: one.part?.isLast ?? true,
    operationId,
    isMadeByImport: one.stored?.createdOp === operationId,
  };
}

/** With the stored messages from one position to another, and the neighbours of those. */
async function withMessages(
  { at }: ImportRun,
  { conversationId }: TitledConversation,
  {
    there,
    from,
    to = Number.MAX_SAFE_INTEGER - CONTEXT_TURNS,
  }: { readonly there: StoredMessages; readonly from: number; readonly to?: number },
): Promise<StoredMessages> {
  if (there.isComplete) return there;
  const [first, last] = [from - CONTEXT_TURNS, to + CONTEXT_TURNS];
  const read = await at.imports.messagesBetween(conversationId, first, last);
  const byKey = new Map([...there.messages, ...read].map((one) => [one.originKey, one]));
  const messages = [...byKey.values()].sort((a, b) => a.position - b.position);
  const hasEnd = read.at(-1)?.originKey === messages.at(-1)?.originKey;
  return { ...there, messages, isComplete: first <= 0 && hasEnd };
}

async function hashed(
  { at: { keys } }: ImportRun,
  keyed: KeyedMessage,
  title: string | null,
): Promise<IncomingMessage> {
  const { role, createdAt } = keyed.message;
  const text = textOf(keyed.message);
  return { ...keyed, text, title, hash: await messageHash(keys, role, text, { createdAt, title }) };
}

function textOf({ text, name, model, attachments, provenance }: IdentifiedMessage): MessageText {
  return {
    text,
    ...(name === undefined ? {} : { name: name.slice(0, MAX_NAME_CHARS).toWellFormed() }),
    ...(model === undefined ? {} : { model }),
    ...(attachments.length === 0 ? {} : { attachments }),
    provenance,
  };
}

function touchedBy(messages: readonly ComparedMessage[]): ReadonlySet<number> {
  const touched = new Set<number>();
  for (const { position, stored, isChanged } of messages) {
    const hasMoved = stored !== null && stored.position !== position;
    if (!isChanged && !hasMoved) continue;
    for (let at = position - CONTEXT_TURNS; at <= position + CONTEXT_TURNS; at += 1)
      touched.add(at);
  }
  return touched;
}
