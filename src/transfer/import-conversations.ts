/** Compares read conversations with what is stored and seals what is new or changed. */
import {
  conversationHash,
  messageHash,
  openConversation,
  sealConversation,
  sealMessage,
  type ConversationText,
  type MessageText,
} from "../conversations/conversation.ts";
import { REMOVED_FROM } from "../storage/conversations.ts";
import { CONTEXT_TURNS } from "../storage/message-index.ts";
import type {
  KnownConversation,
  KnownMessage,
  SealedConversation,
  SealedMessage,
} from "../storage/imports.ts";
import { isId, newId } from "../vault/ids.ts";
import { messageKey } from "../vault/provenance.ts";
import { isTooLarge } from "./batches.ts";
import { findKnown, type FoundConversation, type KeyedConversation } from "./find-known.ts";
import type { IdentifiedConversation, IdentifiedMessage } from "./identify.ts";
import type { ImportRun } from "./import-run.ts";
import type { SkipReason } from "./records.ts";
import { revive } from "./revive.ts";

export interface PreparedMessage {
  readonly row: SealedMessage;
  /** The stored state that it replaces. */
  readonly replaced: KnownMessage | null;
}

export interface PreparedConversations {
  readonly rows: readonly SealedConversation[];
  readonly messages: readonly PreparedMessage[];
  readonly moves: readonly { readonly originKey: string; readonly position: number }[];
  /** Keys of the messages whose index entries are made again: those that changed or moved, and the neighbours whose context they are. */
  readonly reindex: readonly string[];
}

export async function prepareConversations(
  run: ImportRun,
  found: readonly FoundConversation[],
): Promise<PreparedConversations> {
  const { keyed, conversations: known, messagesOf } = await findKnown(run, found);
  const revived = await revive(
    run,
    "conversations",
    known.filter(({ isTrashedByUndo }) => isTrashedByUndo),
  );
  const stands = known.map((row) =>
    revived.has(row.id) ? { ...row, status: "active" as const, version: row.version + 1 } : row,
  );
  // All at once: an import waits for thousands of keyed hashes and seals, and each wait alone costs more than what it waits for.
  const prepared = await Promise.all(
    matched(run, withoutCopies(run, keyed), stands).map(({ stored, conversationId, ...one }) =>
      prepareOne(run, one, {
        conversationId,
        stored,
        storedMessages: messagesOf.get(conversationId) ?? [],
        removedMessages: messagesOf.get(`${REMOVED_FROM}${conversationId}`) ?? [],
        isRevived: revived.has(conversationId),
      }),
    ),
  );
  return {
    rows: prepared.flatMap(({ rows }) => rows),
    messages: prepared.flatMap(({ messages }) => messages),
    moves: prepared.flatMap(({ moves }) => moves),
    reindex: prepared.flatMap(({ reindex }) => reindex),
  };
}

/** Of several copies in a batch the longest, of equally long ones the first. */
function withoutCopies(
  run: ImportRun,
  keyed: readonly KeyedConversation[],
): readonly KeyedConversation[] {
  const kept = new Map<string, KeyedConversation>();
  for (const one of keyed) {
    const earlier = kept.get(one.key);
    const isLonger =
      earlier === undefined ||
      (earlier.part === undefined &&
        earlier.conversation.messages.length < one.conversation.messages.length);
    if (isLonger) kept.set(one.key, one);
    const copy = isLonger ? earlier : one;
    if (copy === undefined) continue;
    run.tally.skip("conversation", "duplicate_in_file", 1);
    run.tally.skip("message", "duplicate_in_file", copy.conversation.messages.length);
  }
  return [...kept.values()];
}

interface MatchedConversation extends KeyedConversation {
  readonly stored: KnownConversation | null;
  readonly conversationId: string;
}

/** With the row that is theirs, by origin or, of Cofio's own, by id. A file may give an id to several: each but the first gets another one. */
function matched(
  { operationId }: ImportRun,
  keyed: readonly KeyedConversation[],
  known: readonly KnownConversation[],
): MatchedConversation[] {
  const byKey = new Map(known.map((row) => [row.originKey, row]));
  const byId = new Map(known.map((row) => [row.id, row]));
  const taken = new Set(keyed.flatMap(({ key }) => byKey.get(key)?.id ?? []));
  return keyed.map((one) => {
    const { key, conversation } = one;
    const ownId = ownIdOf(conversation);
    const ofId = ownId === null || taken.has(ownId) ? undefined : byId.get(ownId);
    // What this import made is another one of its file.
    const stored = byKey.get(key) ?? (ofId?.createdOp === operationId ? undefined : ofId) ?? null;
    const isFree = ownId !== null && !taken.has(ownId) && ofId === undefined;
    const conversationId = stored?.id ?? (isFree ? ownId : newId());
    taken.add(conversationId);
    return { ...one, stored, conversationId };
  });
}

/** Longer ones are no titles; the row of a conversation must stay far below 2 MB. */
const MAX_TITLE_CHARS = 1_000;

/** Arbitrary. */
const MAX_NAME_CHARS = 100;

/** Of a sealed message in hex: with its tokens, 455 KB at most, it stays below D1's 2 MB for a value. Deflated, a text of 1 MiB has a third. */
const MAX_BODY_CHARS = 1_400_000;

const NOTHING: PreparedConversations = { rows: [], messages: [], moves: [], reindex: [] };

async function prepareOne(
  run: ImportRun,
  { conversation, part, key }: KeyedConversation,
  {
    conversationId,
    stored,
    storedMessages,
    removedMessages,
    isRevived,
  }: {
    readonly conversationId: string;
    readonly stored: KnownConversation | null;
    readonly storedMessages: readonly KnownMessage[];
    /** Taken out of it by an undo. */
    readonly removedMessages: readonly KnownMessage[];
    readonly isRevived: boolean;
  },
): Promise<PreparedConversations> {
  const { at, caller, operationId, tally } = run;
  // A conversation that comes in parts is counted with its last one.
  const isCounted = part?.isLast ?? true;
  if (stored?.status === "trashed") {
    // Only what was sent: who may import may not therefore read what is stored.
    const example = conversation.title?.slice(0, 120).toWellFormed();
    if (isCounted) tally.skip("conversation", "trashed", 1, example === "" ? [] : [example]);
    tally.skip("message", "trashed", conversation.messages.length);
    return NOTHING;
  }
  const title = await titleOf(run, conversation.title, stored);
  const storedKey = stored?.originKey ?? key;
  // An older file only adds to what a newer one has brought.
  const isOlder =
    stored !== null && conversation.updatedAt !== null && conversation.updatedAt < stored.updatedAt;

  const incoming = await placeMessages(run, conversation, {
    key: storedKey,
    title,
    storedMessages,
    removedMessages,
  });
  const previous = part?.previous ?? null;
  const order = mergeOrder(incoming, storedMessages, {
    previous: previous === null ? null : await messageKey(at.keys, storedKey, previous),
    isLast: part?.isLast ?? true,
    operationId,
  });
  const removed = new Map(removedMessages.map((message) => [message.originKey, message]));

  const takenIds = new Set([...storedMessages, ...removedMessages].map(({ id }) => id));
  const sealing: Promise<PreparedMessage | null>[] = [];
  const moves: { originKey: string; position: number }[] = [];
  const touched = new Set<number>();
  let changed = 0;
  for (const [position, { key: originKey, incoming: entry, stored: known }] of order.entries()) {
    if (entry === null || (known !== null && (isOlder || known.hash === entry.hash))) {
      if (entry !== null) {
        if (known?.createdOp === operationId) tally.skip("message", "duplicate_in_file", 1);
        else tally.add("message", "unchanged");
      }
      if (known !== null && known.position !== position) {
        moves.push({ originKey, position });
        touch(touched, position);
      }
      continue;
    }
    changed += 1;
    touch(touched, position);
    const before = known ?? removed.get(originKey) ?? null;
    const outcome = before === null ? "new" : "updated";
    tally.add("message", outcome);
    if (run.isTrial) continue;
    const ownId = ownIdOf(entry.message);
    const id = before?.id ?? (ownId === null || takenIds.has(ownId) ? newId() : ownId);
    takenIds.add(id);
    const facts = {
      id,
      conversationKey: storedKey,
      version: (before?.version ?? 0) + 1,
      position,
      role: entry.message.role,
      originKey,
      hash: entry.hash,
      createdAt: entry.message.createdAt,
      createdOp: before?.createdOp ?? operationId,
      changedOp: operationId,
    };
    const { text, title } = entry;
    const { source } = conversation;
    const { timeZone } = at;
    const { indexer } = run;
    const seal = async (): Promise<PreparedMessage | null> => {
      const row = await sealMessage(at.keys, facts, { text, title, source, timeZone, indexer });
      if (row.body.length <= MAX_BODY_CHARS) return { row, replaced: known };
      tally.add("message", outcome, -1);
      tally.skip("message", "too_large", 1, [exampleOf(entry.message)]);
      return null;
    };
    sealing.push(seal());
  }
  const messages = (await Promise.all(sealing)).filter((message) => message !== null);

  const text: ConversationText = {
    title,
    ...(conversation.project === undefined ? {} : { project: conversation.project }),
    provenance: conversation.provenance,
  };
  const hash = await conversationHash(at.keys, text, conversation.updatedAt);
  const rowChanged =
    stored === null || (!isOlder && conversation.title !== null && stored.hash !== hash);
  const isChanged = rowChanged || touched.size > 0;
  if (isCounted) {
    // What the parts before this one did stands in the rows, and so does what an earlier copy of it did.
    const isMade = stored?.createdOp === operationId;
    const isCopy = isMade && (part === undefined || (incoming.length > 0 && changed === 0));
    const isNew = stored === null || isMade;
    const isUpdated =
      isChanged ||
      isRevived ||
      stored?.changedOp === operationId ||
      storedMessages.some(({ changedOp }) => changedOp === operationId);
    if (isCopy) tally.skip("conversation", "duplicate_in_file", 1);
    else tally.add("conversation", isNew ? "new" : isUpdated ? "updated" : "unchanged");
  }
  if (!isChanged || run.isTrial) return NOTHING;

  const times = conversation.messages.flatMap(({ createdAt }) =>
    createdAt === null ? [] : [createdAt],
  );
  const createdAt =
    stored?.createdAt ?? conversation.createdAt ?? times[0] ?? conversation.updatedAt ?? caller.now;
  const latest =
    conversation.updatedAt ?? times.at(-1) ?? (messages.length > 0 ? caller.now : createdAt);
  const rows = rowChanged
    ? [
        await sealConversation(
          at.keys,
          {
            id: conversationId,
            version: (stored?.version ?? 0) + 1,
            status: "active",
            source: conversation.source,
            grantId: caller.grantId,
            client: caller.client,
            originKey: storedKey,
            createdAt,
            updatedAt: Math.max(latest, stored?.updatedAt ?? 0),
            trashedAt: null,
            createdOp: operationId,
            changedOp: operationId,
            trashedOp: null,
          },
          { text, hash },
        ),
      ]
    : [];
  return {
    rows,
    messages,
    moves,
    reindex: order.flatMap(({ key: originKey }, position) =>
      touched.has(position) ? originKey : [],
    ),
  };
}

/** A sender that names no title means the one that is known. */
async function titleOf(
  { at }: ImportRun,
  title: string | null,
  stored: KnownConversation | null,
): Promise<string> {
  if (title !== null) return title.slice(0, MAX_TITLE_CHARS).toWellFormed();
  const row = stored === null ? null : await at.conversations.get(stored.id);
  return row === null ? "" : (await openConversation(at.keys, row)).title;
}

interface Incoming {
  readonly message: IdentifiedMessage;
  readonly key: string;
  readonly hash: string;
  readonly text: MessageText;
  /** Of the conversation, for its first message only. */
  readonly title: string | null;
}

/** Gives each message its key and hash; leaves out what is too large. */
async function placeMessages(
  run: ImportRun,
  conversation: IdentifiedConversation,
  {
    key,
    title: conversationTitle,
    storedMessages,
    removedMessages,
  }: {
    readonly key: string;
    readonly title: string;
    readonly storedMessages: readonly KnownMessage[];
    readonly removedMessages: readonly KnownMessage[];
  },
): Promise<Incoming[]> {
  const { keys } = run.at;
  const byId = new Map(
    [...removedMessages, ...storedMessages].map((message) => [message.id, message.originKey]),
  );
  const skip = (message: IdentifiedMessage, reason: SkipReason) =>
    run.tally.skip("message", reason, 1, [exampleOf(message)]);
  const keyed = await Promise.all(
    conversation.messages.map(async (message) => ({
      message,
      key: byId.get(ownIdOf(message) ?? "") ?? (await messageKey(keys, key, message.provenance)),
    })),
  );
  const seen = new Set<string>();
  const distinct = keyed.filter((one) => {
    if (isTooLarge(one.message)) {
      skip(one.message, "too_large");
      return false;
    }
    if (!seen.has(one.key)) return seen.add(one.key);
    skip(one.message, "duplicate_in_file");
    return false;
  });
  const first = storedMessages[0]?.originKey ?? distinct[0]?.key;
  return Promise.all(
    distinct.map(async (one): Promise<Incoming> => {
      const text = textOf(one.message);
      const title = one.key === first ? conversationTitle : null;
      const { role, createdAt } = one.message;
      return {
        ...one,
        text,
        title,
        hash: await messageHash(keys, role, text, { createdAt, title }),
      };
    }),
  );
}

function exampleOf({ text }: IdentifiedMessage): string {
  return text.slice(0, 120).toWellFormed();
}

interface Placed {
  readonly key: string;
  readonly incoming: Incoming | null;
  readonly stored: KnownMessage | null;
}

interface PartPlace {
  /** The message before the first of the part. */
  readonly previous: string | null;
  readonly isLast: boolean;
  readonly operationId: string;
}

/**
 * The order after the import. What is stored keeps its order and nothing is dropped; a message not seen before follows the one
 * that stands before it in the file, or, where the file shares nothing with what is stored, the end. Which of the two it is a part
 * may not know: then it goes to the beginning, and the last part puts it right.
 */
function mergeOrder(
  incoming: readonly Incoming[],
  stored: readonly KnownMessage[],
  { previous, isLast, operationId }: PartPlace,
): Placed[] {
  const storedKeys = new Set(stored.map(({ originKey: key }) => key));
  const sharesSome = incoming.some(({ key }) => storedKeys.has(key));
  const fromThisFile = stored.findIndex(({ createdOp }) => createdOp !== operationId);
  const isAllBefore = !stored
    .slice(fromThisFile)
    .some(({ createdOp }) => createdOp === operationId);
  const sharesNothing = !sharesSome && fromThisFile > 0 && isAllBefore;
  const known =
    isLast && sharesNothing && previous === stored[fromThisFile - 1]?.originKey
      ? [...stored.slice(fromThisFile), ...stored.slice(0, fromThisFile)]
      : stored;
  let anchor = "";
  if (previous !== null && storedKeys.has(previous)) anchor = previous;
  else if (isLast && !sharesSome) anchor = stored.at(-1)?.originKey ?? "";
  const again = new Map<string, Incoming>();
  const following = new Map<string, Placed[]>();
  for (const entry of incoming) {
    if (storedKeys.has(entry.key)) {
      again.set(entry.key, entry);
      anchor = entry.key;
    } else {
      const placed = following.get(anchor) ?? [];
      placed.push({ key: entry.key, incoming: entry, stored: null });
      following.set(anchor, placed);
    }
  }
  return [
    ...(following.get("") ?? []),
    ...known.flatMap((message): Placed[] => [
      {
        key: message.originKey,
        incoming: again.get(message.originKey) ?? null,
        stored: message,
      },
      ...(following.get(message.originKey) ?? []),
    ]),
  ];
}

/** A message and the neighbours whose context it is. */
function touch(positions: Set<number>, position: number): void {
  for (let at = position - CONTEXT_TURNS; at <= position + CONTEXT_TURNS; at += 1)
    positions.add(at);
}

/** Cofio's own ids are kept, so that an export comes back as it was. Ids stand in rows in the clear, so nothing else that a file calls one may. */
function ownIdOf({ ownId }: { readonly ownId?: string | undefined }): string | null {
  return isId(ownId) ? ownId : null;
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
