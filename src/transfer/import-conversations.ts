/** Compares read conversations with what is stored and seals what is new or changed. */
import {
  conversationHash,
  MAX_MESSAGE_BYTES,
  messageHash,
  openConversation,
  sealConversation,
  sealMessage,
  type ConversationText,
  type MessageText,
} from "../conversations/conversation.ts";
import { CONTEXT_TURNS } from "../storage/message-index.ts";
import type {
  KnownConversation,
  KnownMessage,
  SealedConversation,
  SealedMessage,
} from "../storage/imports.ts";
import { originKey } from "../vault/blind.ts";
import { newId } from "../vault/ids.ts";
import { utf8 } from "../vault/bytes.ts";
import type { ImportRun } from "./import.ts";
import { revive } from "./revive.ts";
import type { ImportedConversation, ImportedMessage } from "./records.ts";

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

interface Keyed {
  readonly conversation: ImportedConversation;
  readonly key: string;
}

export async function prepareConversations(
  run: ImportRun,
  found: readonly ImportedConversation[],
): Promise<PreparedConversations> {
  const keyed = await Promise.all(
    found.map(async (conversation) => ({
      conversation,
      key: await conversationKey(run, conversation),
    })),
  );
  const ownIds = found.flatMap((conversation) =>
    conversation.originPlatform === "cofio" && conversation.originId !== null
      ? [conversation.originId]
      : [],
  );
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

  const prepared: PreparedConversations[] = [];
  const taken = new Set<string>();
  for (const { conversation, key } of keyed) {
    if (taken.has(key)) {
      run.tally.skip("conversation", "duplicate_in_file", 1);
      run.tally.skip("message", "duplicate_in_file", conversation.messages.length);
      continue;
    }
    taken.add(key);
    const stored =
      byKey.get(key) ??
      (conversation.originPlatform === "cofio"
        ? byId.get(conversation.originId ?? "")
        : undefined) ??
      null;
    const storedMessages = stored === null ? [] : (messagesOf.get(stored.id) ?? []);
    prepared.push(
      await prepareOne(
        run,
        { conversation, key },
        {
          stored,
          storedMessages,
          isRevived: stored !== null && revived.has(stored.id),
        },
      ),
    );
  }
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
  { conversation, key }: Keyed,
  {
    stored,
    storedMessages,
    isRevived,
  }: {
    readonly stored: KnownConversation | null;
    readonly storedMessages: readonly KnownMessage[];
    readonly isRevived: boolean;
  },
): Promise<PreparedConversations> {
  const { at, caller, operationId, tally } = run;
  const title = await titleOf(run, conversation.title, stored);
  const example = title === "" ? undefined : title.slice(0, 120).toWellFormed();
  if (stored?.status === "trashed") {
    tally.skip("conversation", "trashed", 1, example);
    tally.skip("message", "trashed", conversation.messages.length);
    return NOTHING;
  }
  const conversationId = stored?.id ?? ownIdOf(conversation) ?? newId();
  const storedKey = stored?.originKey ?? key;

  const incoming = await placeMessages(run, conversation, {
    key: storedKey,
    title,
    storedMessages,
  });
  const order = mergeOrder(incoming, storedMessages);
  const keysInOrder = order.map((entry) => entry.key);

  const messages: PreparedMessage[] = [];
  const moves: { originKey: string; position: number }[] = [];
  for (const [position, { key: messageKey, incoming: entry, stored: known }] of order.entries()) {
    if (entry === null || (known !== null && known.hash === entry.hash)) {
      if (entry !== null) tally.add("message", "unchanged");
      if (known !== null && known.position !== position)
        moves.push({ originKey: messageKey, position });
      continue;
    }
    const row = await sealMessage(
      at.keys,
      {
        id:
          known?.id ??
          ownIdOf({ ...entry.message, originPlatform: conversation.originPlatform }) ??
          newId(),
        conversationKey: storedKey,
        version: (known?.version ?? 0) + 1,
        position,
        role: entry.message.role,
        originKey: messageKey,
        hash: entry.hash,
        createdAt: entry.message.createdAt,
        createdOp: known?.createdOp ?? operationId,
        changedOp: operationId,
      },
      {
        text: entry.text,
        title: entry.title,
        source: conversation.source,
        timeZone: at.timeZone,
        blind: run.blind,
      },
    );
    tally.add("message", known === null ? "new" : "updated");
    messages.push({ row, replaced: known, reindex: around(keysInOrder, position) });
  }

  const text: ConversationText = {
    title,
    ...(conversation.project === undefined ? {} : { project: conversation.project }),
    ...(conversation.originId === null ? {} : { originId: conversation.originId }),
  };
  const hash = await conversationHash(at.keys, text, conversation.updatedAt);
  const rowChanged = stored === null || (conversation.title !== null && stored.hash !== hash);
  const isChanged = rowChanged || messages.length > 0 || moves.length > 0;
  const isUpdated = isChanged || isRevived;
  tally.add("conversation", stored === null ? "new" : isUpdated ? "updated" : "unchanged");
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
  readonly message: ImportedMessage;
  readonly key: string;
  readonly hash: string;
  readonly text: MessageText;
  /** Of the conversation, for its first message only. */
  readonly title: string | null;
}

/** Gives each message its key and hash; leaves out what is too large. */
async function placeMessages(
  run: ImportRun,
  conversation: ImportedConversation,
  {
    key,
    title: conversationTitle,
    storedMessages,
  }: {
    readonly key: string;
    readonly title: string;
    readonly storedMessages: readonly KnownMessage[];
  },
): Promise<Incoming[]> {
  const { keys } = run.at;
  const byId = new Map(storedMessages.map((message) => [message.id, message.originKey]));
  const occurrences = new Map<string, number>();
  const seen = new Set<string>();
  const incoming: Incoming[] = [];
  for (const message of conversation.messages) {
    const text = textOf(message);
    if (utf8(JSON.stringify(text)).length > MAX_MESSAGE_BYTES) {
      run.tally.skip("message", "too_large", 1, message.text.slice(0, 120).toWellFormed());
      continue;
    }
    const ownKey =
      conversation.originPlatform === "cofio" && message.originId !== null
        ? byId.get(message.originId)
        : undefined;
    const messageKey = ownKey ?? (await messageKeyOf(run, key, message, occurrences));
    if (seen.has(messageKey)) {
      run.tally.skip("message", "duplicate_in_file", 1, message.text.slice(0, 120).toWellFormed());
      continue;
    }
    seen.add(messageKey);
    const isFirst =
      storedMessages.length === 0
        ? incoming.length === 0
        : storedMessages[0]?.originKey === messageKey;
    const title = isFirst ? conversationTitle : null;
    const hash = await messageHash(keys, message.role, text, {
      createdAt: message.createdAt,
      title,
    });
    incoming.push({ message, key: messageKey, hash, text, title });
  }
  return incoming;
}

/** Without a platform's id, a message is its role, its text and its number among equal ones. */
async function messageKeyOf(
  run: ImportRun,
  key: string,
  message: ImportedMessage,
  occurrences: Map<string, number>,
): Promise<string> {
  if (message.originId !== null) return originKey(run.at.keys, ["message", key, message.originId]);
  const same = `${message.role}\0${message.text}`;
  const occurrence = (occurrences.get(same) ?? 0) + 1;
  occurrences.set(same, occurrence);
  return originKey(run.at.keys, [
    "message",
    key,
    "",
    message.role,
    message.text,
    String(occurrence),
  ]);
}

interface Placed {
  readonly key: string;
  readonly incoming: Incoming | null;
  readonly stored: KnownMessage | null;
}

/**
 * The order after the import. What is stored keeps its order and nothing is dropped; a message not seen before follows the one
 * that stands before it in the file, or, where the file shares nothing with what is stored, the end.
 */
function mergeOrder(incoming: readonly Incoming[], stored: readonly KnownMessage[]): Placed[] {
  const storedKeys = new Set(stored.map(({ originKey: key }) => key));
  const sharesSome = incoming.some(({ key }) => storedKeys.has(key));
  let anchor = sharesSome ? "" : (stored.at(-1)?.originKey ?? "");
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
    ...stored.flatMap((message): Placed[] => [
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

/** Platform and its id; for a conversation without one, its platform, title and first message. */
async function conversationKey(
  run: ImportRun,
  conversation: ImportedConversation,
): Promise<string> {
  const { source, originPlatform = source, originId, messages } = conversation;
  if (originId !== null) return originKey(run.at.keys, ["conversation", originPlatform, originId]);
  const [first] = messages;
  return originKey(run.at.keys, [
    "conversation",
    originPlatform,
    "",
    conversation.title ?? "",
    String(first?.createdAt ?? ""),
    first?.role ?? "",
    first?.text ?? "",
  ]);
}

/** Cofio's own ids are kept, so that an export comes back as it was. */
function ownIdOf(item: {
  readonly originPlatform?: string | undefined;
  readonly originId: string | null;
}): string | null {
  const isOwn =
    item.originPlatform === "cofio" &&
    item.originId !== null &&
    /^[a-z2-7]{12}$/.test(item.originId);
  return isOwn ? item.originId : null;
}

function textOf({ text, name, model, attachments, originId }: ImportedMessage): MessageText {
  return {
    text,
    ...(name === undefined ? {} : { name: name.slice(0, MAX_NAME_CHARS).toWellFormed() }),
    ...(model === undefined ? {} : { model }),
    ...(attachments.length === 0 ? {} : { attachments }),
    ...(originId === null ? {} : { originId }),
  };
}
