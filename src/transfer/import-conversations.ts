/** Compares read conversations with what is stored and seals what is new or changed. */
import {
  conversationHash,
  openConversation,
  sealConversation,
  sealMessage,
  type ConversationText,
  type MessageText,
} from "../conversations/conversation.ts";
import type {
  ImportedConversationRow,
  ImportedState,
  KnownConversation,
  KnownMessage,
  SealedMessage,
} from "../storage/imports.ts";
import { contentHash } from "../vault/blind.ts";
import { newId } from "../vault/ids.ts";
import { sealedChars } from "../vault/seal.ts";
import {
  compareMessages,
  exampleOf,
  isCopy,
  type ComparedMessage,
  type ComparedMessages,
} from "./compare-messages.ts";
import { conversationDigest, partDigest } from "./conversation-digest.ts";
import {
  findKnown,
  ownIdOf,
  type FoundConversation,
  type KeyedConversation,
  type StoredMessages,
} from "./find-known.ts";
import type { ImportRun } from "./import-run.ts";
import { matched, storedKeyOf, type MatchedConversation } from "./match-conversations.ts";
import { revive } from "./revive.ts";

export interface PreparedMessage {
  readonly row: SealedMessage;
  /** The stored state that it replaces. */
  readonly replaced: KnownMessage | null;
}

export interface PreparedConversations {
  readonly rows: readonly ImportedConversationRow[];
  readonly states: readonly ImportedState[];
  readonly messages: readonly PreparedMessage[];
  readonly moves: readonly MovedMessage[];
  /** Keys of the messages whose index entries are made again: those that changed or moved, and the neighbours whose context they are. */
  readonly reindex: readonly string[];
}

interface MovedMessage {
  readonly originKey: string;
  readonly position: number;
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
  const { operationId: changedOp } = run;
  const stands = known.map((row) =>
    revived.has(row.id)
      ? { ...row, status: "active" as const, version: row.version + 1, changedOp }
      : row,
  );
  // All at once: an import waits for thousands of keyed hashes and seals, and each wait alone costs more than what it waits for.
  const prepared = await Promise.all(
    matched(run, withoutCopies(run, keyed), stands).map((one) =>
      prepareOne(run, one, messagesOf(one.conversationId)),
    ),
  );
  return {
    rows: prepared.flatMap(({ rows }) => rows),
    states: prepared.flatMap(({ states }) => states),
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

/** Longer ones are no titles; the row of a conversation must stay far below 2 MB. */
const MAX_TITLE_CHARS = 1_000;

/** Of a sealed message in hex: with its tokens, 455 KB at most, it stays below D1's 2 MB for a value. Deflated, a text of 1 MiB has a third. */
const MAX_BODY_CHARS = 1_400_000;

const NOTHING: PreparedConversations = {
  rows: [],
  states: [],
  messages: [],
  moves: [],
  reindex: [],
};

async function prepareOne(
  run: ImportRun,
  one: MatchedConversation,
  there: StoredMessages,
): Promise<PreparedConversations> {
  const { conversation, stored, part } = one;
  if (stored?.status === "trashed") {
    skipTrashed(run, one);
    return NOTHING;
  }
  const title = await titleOf(run, conversation.title, stored);
  const compared = await compareMessages(run, { ...one, title }, there);
  countMessages(run, compared);

  const text: ConversationText = {
    title,
    ...(conversation.project === undefined ? {} : { project: conversation.project }),
    provenance: conversation.provenance,
  };
  const hash = await conversationHash(run.at.keys, text, conversation.updatedAt);
  const isRowChanged =
    stored === null || (!compared.isOlder && conversation.title !== null && stored.hash !== hash);
  const isChanged = isRowChanged || compared.touched.size > 0;
  // A conversation that comes in parts is counted with its last one.
  if (part?.isLast ?? true) countConversation(run, one, { compared, isChanged });
  const tooLarge = await skipTooLarge(run, compared);
  if (run.isTrial) return NOTHING;

  const messages = await sealChanged(run, one, { compared, there, tooLarge });
  const moves = movesIn(compared);
  const state = stateAfter(run, one, { isRowChanged, messages, moves });
  const isExact = compared.isExact && tooLarge.size === 0 && !(isRowChanged && isContinued(one));
  const digest = isExact ? await digestAfter(run, one, state) : null;
  if (!isChanged) {
    const isKnown = digest === null || digest === stored?.digest;
    return isKnown ? NOTHING : { ...NOTHING, states: [{ ...state, digest }] };
  }
  return {
    rows: isRowChanged ? [await sealRow(run, one, { text, hash, digest, messages })] : [],
    states: [{ ...state, digest }],
    messages,
    moves,
    reindex: compared.messages.flatMap(({ key, position }) =>
      compared.touched.has(position) ? key : [],
    ),
  };
}

/** Only what was sent is told: who may import may not therefore read what is stored. */
function skipTrashed({ tally }: ImportRun, { conversation, part }: KeyedConversation): void {
  const example = conversation.title?.slice(0, 120).toWellFormed();
  if (part?.isLast ?? true) {
    tally.skip("conversation", "trashed", 1, example === "" ? [] : [example]);
  }
  tally.skip("message", "trashed", conversation.messages.length);
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

function countMessages(run: ImportRun, { messages }: ComparedMessages): void {
  for (const message of messages) {
    if (message.incoming === null) continue;
    if (message.isChanged) run.tally.add("message", outcomeOf(message));
    else if (isCopy(run, message)) run.tally.skip("message", "duplicate_in_file", 1);
    else run.tally.add("message", "unchanged");
  }
}

function outcomeOf({ stored, removed }: ComparedMessage): "new" | "updated" {
  return (stored ?? removed) === null ? "new" : "updated";
}

function countConversation(
  { operationId, tally }: ImportRun,
  { stored, part }: MatchedConversation,
  {
    compared: { messages },
    isChanged,
  }: { readonly compared: ComparedMessages; readonly isChanged: boolean },
): void {
  // What the parts before this one did stands in the rows, and so does what an earlier copy of it did.
  const isMade = stored?.createdOp === operationId;
  const said = messages.filter(({ incoming }) => incoming !== null);
  const saysNothingNew = said.length > 0 && !said.some((message) => message.isChanged);
  if (isMade && (part === undefined || saysNothingNew)) {
    tally.skip("conversation", "duplicate_in_file", 1);
  } else if (stored === null || isMade) tally.add("conversation", "new");
  else {
    const isUpdated = isChanged || stored.changedOp === operationId;
    tally.add("conversation", isUpdated ? "updated" : "unchanged");
  }
}

/** Of what an import may bring, what hardly shrinks is too large to be a row. @returns keys of such messages */
async function skipTooLarge(
  { tally }: ImportRun,
  { messages }: ComparedMessages,
): Promise<ReadonlySet<string>> {
  const tooLarge = new Set<string>();
  for (const message of messages) {
    const { key, incoming, isChanged } = message;
    if (incoming === null || !isChanged || !(await isBeyondRow(incoming.text))) continue;
    tooLarge.add(key);
    tally.add("message", outcomeOf(message), -1);
    tally.skip("message", "too_large", 1, [exampleOf(incoming.message)]);
  }
  return tooLarge;
}

async function isBeyondRow(text: MessageText): Promise<boolean> {
  // A UTF-16 unit is at most six bytes of JSON: most texts are below it, however they shrink.
  if (text.text.length * 12 < MAX_BODY_CHARS && text.attachments === undefined) return false;
  return (await sealedChars(text)) > MAX_BODY_CHARS;
}

async function sealChanged(
  run: ImportRun,
  one: MatchedConversation,
  {
    compared,
    there,
    tooLarge,
  }: {
    readonly compared: ComparedMessages;
    readonly there: StoredMessages;
    readonly tooLarge: ReadonlySet<string>;
  },
): Promise<readonly PreparedMessage[]> {
  const { at, operationId, indexer } = run;
  const { source } = one.conversation;
  const takenIds = new Set([...there.messages, ...there.removed].map(({ id }) => id));
  const freeId = (own: string | null): string =>
    own === null || takenIds.has(own) ? newId() : own;
  const sealing: Promise<PreparedMessage>[] = [];
  for (const message of compared.messages) {
    const { key: originKey, position, incoming, stored, removed } = message;
    if (incoming === null || !message.isChanged || tooLarge.has(originKey)) continue;
    const { text, title, hash } = incoming;
    const { role, createdAt } = incoming.message;
    const before = stored ?? removed;
    const id = before?.id ?? freeId(ownIdOf(incoming.message));
    takenIds.add(id);
    const facts = {
      id,
      conversationKey: storedKeyOf(one),
      version: (before?.version ?? 0) + 1,
      position,
      role,
      originKey,
      hash,
      createdAt,
      createdOp: before?.createdOp ?? operationId,
      changedOp: operationId,
    };
    const seal = async (): Promise<PreparedMessage> => {
      const context = { title, source, timeZone: at.timeZone, indexer };
      return { row: await sealMessage(at.keys, facts, { text, ...context }), replaced: stored };
    };
    sealing.push(seal());
  }
  return Promise.all(sealing);
}

/** Messages whose text stays and whose place does not. */
function movesIn({ messages }: ComparedMessages): MovedMessage[] {
  return messages.flatMap(({ key, position, stored, isChanged }) =>
    stored === null || isChanged || stored.position === position
      ? []
      : [{ originKey: key, position }],
  );
}

type StateAfter = Omit<ImportedState, "digest">;

/** What the row will say of itself once the batch is written. */
function stateAfter(
  { operationId }: ImportRun,
  one: MatchedConversation,
  {
    isRowChanged,
    messages,
    moves,
  }: Pick<PreparedConversations, "messages" | "moves"> & { readonly isRowChanged: boolean },
): StateAfter {
  const { stored } = one;
  // A conversation that only gets messages has a new version too, one for the whole operation.
  const getsSome = messages.length + moves.length > 0 && stored?.changedOp !== operationId;
  const isNext = isRowChanged || getsSome;
  const times = messages.map(({ row }) => row.createdAt ?? 0);
  return {
    originKey: storedKeyOf(one),
    isMade: stored === null,
    version: (stored?.version ?? 0) + (isNext ? 1 : 0),
    changedOp: isNext || stored === null ? operationId : stored.changedOp,
    messages: messages.map(({ row }) => row.originKey),
    latest: Math.max(0, ...times),
  };
}

/** Not the first part of it. */
function isContinued({ part }: MatchedConversation): boolean {
  return part !== undefined && part.previous !== null;
}

/** The digest that its row gets; null while more of it is to come, and where nobody knows all that came before. */
async function digestAfter(
  { at: { keys }, cut }: ImportRun,
  one: MatchedConversation,
  { originKey, version, changedOp }: StateAfter,
): Promise<string | null> {
  const { conversation, part, stored } = one;
  if (part === undefined) return contentHash(keys, await conversationDigest(conversation));
  const { before } = cut;
  const goesOn =
    before !== null &&
    before.originKey === originKey &&
    before.version === stored?.version &&
    before.changedOp === stored.changedOp &&
    before.last === part.previous?.id;
  if (isContinued(one) && !goesOn) return null;
  const digest = await partDigest(conversation, isContinued(one) ? (before?.digest ?? null) : null);
  if (part.isLast) return contentHash(keys, digest.end());
  const last = conversation.messages.at(-1)?.provenance.id ?? "";
  cut.after = { originKey, version, changedOp, last, digest: digest.state() };
  return null;
}

async function sealRow(
  { at, caller, operationId }: ImportRun,
  one: MatchedConversation,
  {
    text,
    hash,
    digest,
    messages,
  }: Pick<PreparedConversations, "messages"> & {
    readonly text: ConversationText;
    readonly hash: string;
    readonly digest: string | null;
  },
): Promise<ImportedConversationRow> {
  const { conversation, stored } = one;
  const times = conversation.messages.flatMap(({ createdAt }) => createdAt ?? []);
  const createdAt =
    stored?.createdAt ?? conversation.createdAt ?? times[0] ?? conversation.updatedAt ?? caller.now;
  const latest =
    conversation.updatedAt ?? times.at(-1) ?? (messages.length > 0 ? caller.now : createdAt);
  const sealedTimes = messages.map(({ row }) => row.createdAt ?? 0);
  const row = await sealConversation(
    at.keys,
    {
      id: one.conversationId,
      version: (stored?.version ?? 0) + 1,
      status: "active",
      source: conversation.source,
      grantId: caller.grantId,
      client: caller.client,
      originKey: storedKeyOf(one),
      createdAt,
      updatedAt: Math.max(latest, stored?.updatedAt ?? 0, ...sealedTimes),
      trashedAt: null,
      createdOp: operationId,
      changedOp: operationId,
      trashedOp: null,
    },
    { text, hash },
  );
  return { ...row, digest, messageCount: messages.length };
}
