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
import { itemKey, messageKey } from "../vault/provenance.ts";
import { isTooLarge, type ConversationPart } from "./batches.ts";
import type { IdentifiedConversation, IdentifiedMessage } from "./identify.ts";
import type { ImportRun } from "./import-run.ts";
import type { SkipReason } from "./records.ts";
import { revive } from "./revive.ts";

export interface PreparedMessage {
  readonly row: SealedMessage;
  /** The stored state that it replaces. */
  readonly replaced: KnownMessage | null;
  /** Itself, and the neighbours whose context it is. */
  readonly reindex: readonly string[];
}

export interface PreparedConversations {
  readonly rows: readonly SealedConversation[];
  readonly messages: readonly PreparedMessage[];
  readonly moves: readonly { readonly originKey: string; readonly position: number }[];
  /** Index entries to make again because of moves. */
  readonly moved: readonly string[];
}

/** A conversation or a part of one. */
export interface FoundConversation {
  readonly conversation: IdentifiedConversation;
  readonly part?: ConversationPart | undefined;
}

interface Keyed extends FoundConversation {
  readonly key: string;
}

export async function prepareConversations(
  run: ImportRun,
  found: readonly FoundConversation[],
): Promise<PreparedConversations> {
  const keyed = await Promise.all(
    found.map(async (one) => ({
      ...one,
      key: await itemKey(run.at.keys, "conversation", one.conversation.provenance),
    })),
  );
  const ownIds = found.flatMap(({ conversation }) => ownIdOf(conversation) ?? []);
  const known = await run.at.imports.known(
    keyed.map(({ key }) => key),
    ownIds,
  );
  const revived = await revive(
    run,
    "conversations",
    known.conversations.filter(({ isTrashedByUndo }) => isTrashedByUndo),
  );
  const stands = known.conversations.map((row) =>
    revived.has(row.id) ? { ...row, status: "active" as const, version: row.version + 1 } : row,
  );
  const byKey = new Map(stands.map((row) => [row.originKey, row]));
  const byId = new Map(stands.map((row) => [row.id, row]));
  const messagesOf = Map.groupBy(known.messages, ({ conversation }) => conversation);

  const taken = new Set<string>();
  const distinct = keyed.filter(({ conversation, key }) => {
    if (!taken.has(key)) return taken.add(key);
    run.tally.skip("conversation", "duplicate_in_file", 1);
    run.tally.skip("message", "duplicate_in_file", conversation.messages.length);
    return false;
  });
  // All at once: an import waits for thousands of keyed hashes and seals, and each wait alone costs more than what it waits for.
  const prepared = await Promise.all(
    distinct.map(({ conversation, part, key }) => {
      const stored = byKey.get(key) ?? byId.get(ownIdOf(conversation) ?? "") ?? null;
      return prepareOne(
        run,
        { conversation, part, key },
        {
          stored,
          storedMessages: stored === null ? [] : (messagesOf.get(stored.id) ?? []),
          removedMessages:
            stored === null ? [] : (messagesOf.get(`${REMOVED_FROM}${stored.id}`) ?? []),
          isRevived: stored !== null && revived.has(stored.id),
        },
      );
    }),
  );
  return {
    rows: prepared.flatMap(({ rows }) => rows),
    messages: prepared.flatMap(({ messages }) => messages),
    moves: prepared.flatMap(({ moves }) => moves),
    moved: prepared.flatMap(({ moved }) => moved),
  };
}

/** Longer ones are no titles; the row of a conversation must stay far below 2 MB. */
const MAX_TITLE_CHARS = 1_000;

/** Arbitrary. */
const MAX_NAME_CHARS = 100;

const NOTHING: PreparedConversations = { rows: [], messages: [], moves: [], moved: [] };

async function prepareOne(
  run: ImportRun,
  { conversation, part, key }: Keyed,
  {
    stored,
    storedMessages,
    removedMessages,
    isRevived,
  }: {
    readonly stored: KnownConversation | null;
    readonly storedMessages: readonly KnownMessage[];
    /** Taken out of it by an undo. */
    readonly removedMessages: readonly KnownMessage[];
    readonly isRevived: boolean;
  },
): Promise<PreparedConversations> {
  const { at, caller, operationId, tally } = run;
  const title = await titleOf(run, conversation.title, stored);
  const example = title === "" ? undefined : title.slice(0, 120).toWellFormed();
  // A conversation that comes in parts is counted with its last one.
  const isCounted = part?.isLast ?? true;
  if (stored?.status === "trashed") {
    if (isCounted) tally.skip("conversation", "trashed", 1, [example]);
    tally.skip("message", "trashed", conversation.messages.length);
    return NOTHING;
  }
  const conversationId = stored?.id ?? ownIdOf(conversation) ?? newId();
  const storedKey = stored?.originKey ?? key;

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
  const keysInOrder = order.map((entry) => entry.key);

  const sealing: Promise<PreparedMessage>[] = [];
  const moves: { originKey: string; position: number }[] = [];
  for (const [position, { key: originKey, incoming: entry, stored: known }] of order.entries()) {
    if (entry === null || (known !== null && known.hash === entry.hash)) {
      if (entry !== null) tally.add("message", "unchanged");
      if (known !== null && known.position !== position) moves.push({ originKey, position });
      continue;
    }
    const before = known ?? removed.get(originKey) ?? null;
    tally.add("message", before === null ? "new" : "updated");
    const facts = {
      id: before?.id ?? ownIdOf(entry.message) ?? newId(),
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
    const { blind } = run;
    const seal = async (): Promise<PreparedMessage> => ({
      row: await sealMessage(at.keys, facts, { text, title, source, timeZone, blind }),
      replaced: known,
      reindex: around(keysInOrder, position),
    });
    sealing.push(seal());
  }
  const messages = await Promise.all(sealing);

  const text: ConversationText = {
    title,
    ...(conversation.project === undefined ? {} : { project: conversation.project }),
    provenance: conversation.provenance,
  };
  const hash = await conversationHash(at.keys, text, conversation.updatedAt);
  const rowChanged = stored === null || (conversation.title !== null && stored.hash !== hash);
  const isChanged = rowChanged || messages.length > 0 || moves.length > 0;
  if (isCounted) {
    // What the parts before this one did stands in the rows.
    const isNew = stored === null || stored.createdOp === operationId;
    const isUpdated =
      isChanged ||
      isRevived ||
      stored?.changedOp === operationId ||
      storedMessages.some(({ changedOp }) => changedOp === operationId);
    tally.add("conversation", isNew ? "new" : isUpdated ? "updated" : "unchanged");
  }
  if (!isChanged) return NOTHING;

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
    moved: moves.flatMap(({ position }) => around(keysInOrder, position)),
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
    run.tally.skip("message", reason, 1, [message.text.slice(0, 120).toWellFormed()]);
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

function around(keys: readonly string[], position: number): string[] {
  return keys.slice(Math.max(0, position - CONTEXT_TURNS), position + CONTEXT_TURNS + 1);
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
