/** Lines of an archive as sealed rows: under other keys, and otherwise as they were. */
import {
  conversationHash,
  messageHash,
  sealConversation,
  sealMessage,
  type ConversationText,
  type MessageText,
} from "../conversations/conversation.ts";
import type { Indexer } from "../conversations/indexer.ts";
import { placeIn, sealMemory, type MemoryText, type StoreFacts } from "../memory/memory.ts";
import { ownFingerprint } from "../memory/own-fingerprint.ts";
import { REMOVED_FROM } from "../storage/conversations.ts";
import type { SealedConversation } from "../storage/imports.ts";
import type { SealedMemory } from "../storage/memories.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import type { OperationRow } from "../storage/operations.ts";
import type { RestoredMessage } from "../storage/archive-restore.ts";
import { itemKey, messageKey, type MessageProvenance } from "../vault/provenance.ts";
import type { ConversationLine, LineOf, MemoryLine, MessageLine } from "./archive-lines.ts";

export function memoryTextOf(line: MemoryLine): MemoryText {
  const { content, tags, project, asked_as, supersedes, provenance, path, store, redacted } = line;
  return {
    content,
    tags,
    ...(project === undefined ? {} : { project }),
    ...(asked_as === undefined ? {} : { askedAs: asked_as }),
    ...(supersedes === undefined ? {} : { supersedes }),
    ...(provenance === undefined
      ? {}
      : { provenance: { platform: provenance.platform, ...idOf(provenance) } }),
    ...placeIn(project, {
      ...(path === undefined ? {} : { path }),
      ...(store === undefined ? {} : { store: storeOf(store) }),
    }),
    ...(redacted === undefined
      ? {}
      : { redacted: { at: Date.parse(redacted.at), grantId: redacted.grant_id } }),
  };
}

function storeOf({ metadata, archived_at }: NonNullable<MemoryLine["store"]>): StoreFacts {
  return {
    metadata,
    ...(archived_at === undefined ? {} : { archivedAt: Date.parse(archived_at) }),
  };
}

export async function memoryRow(at: OpenAccount, line: MemoryLine): Promise<SealedMemory> {
  const { keys, timeZone } = at;
  const text = memoryTextOf(line);
  const { provenance } = text;
  const sealed = await sealMemory(
    keys,
    timeZone,
    {
      id: line.id,
      // The text is bound to the version that brought it.
      version: line.text_version ?? line.version,
      status: line.status,
      category: line.category,
      source: line.source,
      origin: line.origin,
      userAsked: line.user_asked ?? false,
      grantId: line.grant_id,
      client: line.client,
      importance: line.importance,
      originKey: provenance === undefined ? null : await itemKey(keys, "memory", provenance),
      supersededBy: line.superseded_by ?? null,
      createdAt: Date.parse(line.created_at),
      updatedAt: Date.parse(line.updated_at),
      lastUsedAt: Date.parse(line.last_used_at),
      expiresAt: timeOf(line.expires_at),
      trashedAt: timeOf(line.trashed_at),
      createdOp: line.created_op,
      changedOp: line.changed_op,
      trashedOp: line.trashed_op ?? null,
    },
    text,
  );
  return {
    ...sealed,
    version: line.version,
    fingerprint:
      line.is_twin === true ? await ownFingerprint(keys, text, line.id) : sealed.fingerprint,
  };
}

export async function conversationRow(
  { keys }: OpenAccount,
  line: ConversationLine,
): Promise<SealedConversation> {
  const { title, project, provenance } = line;
  const text: ConversationText = {
    title,
    ...(project === undefined ? {} : { project }),
    ...(provenance === undefined
      ? {}
      : { provenance: { platform: provenance.platform, ...idOf(provenance) } }),
  };
  const updatedAt = Date.parse(line.updated_at);
  const sealed = await sealConversation(
    keys,
    {
      id: line.id,
      version: line.text_version ?? line.version,
      status: line.status,
      source: line.source,
      grantId: line.grant_id,
      client: line.client,
      originKey: await itemKey(
        keys,
        "conversation",
        text.provenance ?? { platform: "cofio", id: line.id },
      ),
      createdAt: Date.parse(line.created_at),
      updatedAt,
      trashedAt: timeOf(line.trashed_at),
      createdOp: line.created_op,
      changedOp: line.changed_op,
      trashedOp: line.trashed_op ?? null,
    },
    {
      text,
      hash: await conversationHash(keys, text, line.is_undated === true ? null : updatedAt),
    },
  );
  return { ...sealed, version: line.version };
}

/**
 * Of what a sync writes: the other side's clock may be wrong, or of long ago, and this trash keeps it for its whole time; the other side's
 * operation is none of this account's.
 */
export function trashedBy(
  { id, now }: { readonly id: string; readonly now: number },
  { status }: { readonly status: string },
): { readonly trashedAt: number | null; readonly trashedOp: string | null } {
  return status === "trashed"
    ? { trashedAt: now, trashedOp: id }
    : { trashedAt: null, trashedOp: null };
}

/** A conversation as a state of a message met it. */
export interface MessageHome {
  readonly originKey: string;
  /** Its words are the first message's too. */
  readonly title: string;
  readonly source: SealedConversation["source"];
}

export async function messageRow(
  { keys, timeZone }: OpenAccount,
  line: MessageLine,
  { home, indexer }: { readonly home: MessageHome; readonly indexer: Indexer },
): Promise<RestoredMessage> {
  const text: MessageText = {
    text: line.text,
    ...(line.name === undefined ? {} : { name: line.name }),
    ...(line.model === undefined ? {} : { model: line.model }),
    ...(line.attachments === undefined
      ? {}
      : {
          attachments: line.attachments.map(({ name, text: inside }) =>
            inside === undefined ? { name } : { name, text: inside },
          ),
        }),
    ...(line.provenance === undefined ? {} : { provenance: idOf(line.provenance) }),
  };
  const createdAt = timeOf(line.created_at);
  const title = line.position === 0 ? home.title : null;
  const { conversationKey: _, ...sealed } = await sealMessage(
    keys,
    {
      id: line.id,
      conversationKey: home.originKey,
      version: line.text_version ?? line.version,
      position: line.position,
      role: line.role,
      originKey: await messageOrigin(keys, home, line),
      hash: await messageHash(keys, line.role, text, { createdAt, title }),
      createdAt,
      createdOp: line.created_op,
      changedOp: line.changed_op,
    },
    { text, title, source: home.source, timeZone, indexer },
  );
  const { conversation, version } = line;
  return {
    ...sealed,
    conversation: isOut(line) ? REMOVED_FROM + conversation : conversation,
    version,
  };
}

/** Whether an undo had taken it out of its conversation. */
export function isOut(line: MessageLine): boolean {
  return (
    line.type === "removed_message" || (line.type === "message_version" && line.removed === true)
  );
}

/** By which it is known in its conversation. */
export function messageOrigin(
  keys: OpenAccount["keys"],
  { originKey }: MessageHome,
  { id, provenance }: MessageLine,
): Promise<string> {
  return messageKey(keys, originKey, provenance === undefined ? { id } : idOf(provenance));
}

export function operationRow(line: LineOf<"operation">): Omit<OperationRow, "userId"> {
  return {
    id: line.id,
    kind: line.kind,
    grantId: line.grant_id,
    client: line.client,
    createdAt: Date.parse(line.created_at),
    counts: JSON.stringify(line.counts),
    undoesOp: line.undoes_op ?? null,
    subject: line.subject ?? null,
  };
}

export function replacementOf(line: {
  readonly replaced_op: string;
  readonly replaced_at: string;
}): { readonly replacedOp: string; readonly replacedAt: number } {
  return { replacedOp: line.replaced_op, replacedAt: Date.parse(line.replaced_at) };
}

function idOf({ id, derived }: { readonly id: string; readonly derived?: true | undefined }) {
  return { id, ...(derived === true ? { isDerived: true } : {}) } satisfies MessageProvenance;
}

function timeOf(time: string | undefined): number | null {
  return time === undefined ? null : Date.parse(time);
}
