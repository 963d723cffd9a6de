/** Rows as the lines of an archive. */
import {
  conversationHash,
  openConversationText,
  openMessageText,
  type ConversationText,
  type MessageText,
} from "../conversations/conversation.ts";
import {
  openText,
  textFingerprint,
  type MemoryText,
  type Redaction,
  type StoreFacts,
} from "../memory/memory.ts";
import { REMOVED_FROM, type ConversationRow, type MessageRow } from "../storage/conversations.ts";
import type {
  ConversationVersionRow,
  ExportRow,
  MessageVersionRow,
} from "../storage/export-rows.ts";
import type { MemoryRow, MemoryVersionRow } from "../storage/memories.ts";
import type { OperationRow } from "../storage/operations.ts";
import type { Keys } from "../vault/keys.ts";
import { messageProvenanceLine, provenanceLine } from "../vault/provenance.ts";
import type { LineOf } from "./archive-lines.ts";
import { iso } from "./writer.ts";

export async function memoryLine(keys: Keys, row: ExportRow<MemoryRow>): Promise<LineOf<"memory">> {
  return { type: "memory", ...(await memoryFields(keys, row)) };
}

export async function memoryVersionLine(
  keys: Keys,
  row: ExportRow<MemoryVersionRow>,
): Promise<LineOf<"memory_version">> {
  return { type: "memory_version", ...(await memoryFields(keys, row)), ...replacementOf(row) };
}

export async function conversationLine(
  keys: Keys,
  row: ConversationRow,
): Promise<LineOf<"conversation">> {
  return { type: "conversation", ...(await conversationFields(keys, row)) };
}

export async function conversationVersionLine(
  keys: Keys,
  row: ConversationVersionRow,
): Promise<LineOf<"conversation_version">> {
  return {
    type: "conversation_version",
    ...(await conversationFields(keys, row)),
    ...replacementOf(row),
  };
}

export async function messageLine(
  keys: Keys,
  row: ExportRow<MessageRow>,
): Promise<LineOf<"message">> {
  return { type: "message", ...messageFields(row, await openMessageText(keys, row)) };
}

export async function removedMessageLine(
  keys: Keys,
  row: ExportRow<MessageRow>,
): Promise<LineOf<"removed_message">> {
  return { type: "removed_message", ...messageFields(row, await openMessageText(keys, row)) };
}

export async function messageVersionLine(
  keys: Keys,
  row: ExportRow<MessageVersionRow>,
): Promise<LineOf<"message_version">> {
  return {
    type: "message_version",
    ...messageFields(row, await openMessageText(keys, row)),
    ...replacementOf(row),
    ...(row.conversation.startsWith(REMOVED_FROM) ? { removed: true } : {}),
  };
}

export function operationLine(row: OperationRow): LineOf<"operation"> {
  return {
    type: "operation",
    id: row.id,
    kind: row.kind,
    client: row.client,
    grant_id: row.grantId,
    created_at: iso(row.createdAt),
    // True because Cofio alone writes counts.
    counts: JSON.parse(row.counts) as Record<string, number>,
    ...given("undoes_op", row.undoesOp),
    ...given("subject", row.subject),
  };
}

async function memoryFields(
  keys: Keys,
  row: ExportRow<MemoryRow | MemoryVersionRow>,
): Promise<Omit<LineOf<"memory">, "type">> {
  const text: MemoryText = await openText(keys, row);
  const common = await textFingerprint(keys, text);
  return {
    id: row.id,
    version: row.version,
    ...textVersion(row),
    status: row.status,
    content: text.content,
    category: row.category,
    tags: [...text.tags],
    ...given("project", text.project),
    importance: row.importance,
    source: row.source,
    origin: row.origin,
    ...(row.userAsked ? { user_asked: true } : {}),
    ...(text.askedAs === undefined ? {} : { asked_as: [...text.askedAs] }),
    ...given("supersedes", text.supersedes),
    ...given("superseded_by", row.supersededBy),
    ...(row.fingerprint === common ? {} : { is_twin: true }),
    ...(text.provenance === undefined ? {} : { provenance: provenanceLine(text.provenance) }),
    ...given("path", text.path),
    ...(text.store === undefined ? {} : { store: storeLine(text.store) }),
    ...(text.redacted === undefined ? {} : { redacted: redactionLine(text.redacted) }),
    client: row.client,
    grant_id: row.grantId,
    created_at: iso(row.createdAt),
    updated_at: iso(row.updatedAt),
    last_used_at: iso(row.lastUsedAt),
    ...given("expires_at", isoOrNull(row.expiresAt)),
    created_op: row.createdOp,
    changed_op: row.changedOp,
    ...given("trashed_at", isoOrNull(row.trashedAt)),
    ...given("trashed_op", row.trashedOp),
  };
}

function storeLine({ metadata, archivedAt }: StoreFacts): NonNullable<LineOf<"memory">["store"]> {
  return { metadata: { ...metadata }, ...given("archived_at", isoOrNull(archivedAt ?? null)) };
}

function redactionLine({ at, grantId }: Redaction): NonNullable<LineOf<"memory">["redacted"]> {
  return { at: iso(at), grant_id: grantId };
}

async function conversationFields(
  keys: Keys,
  row: ConversationRow | ConversationVersionRow,
): Promise<Omit<LineOf<"conversation">, "type">> {
  const text: ConversationText = await openConversationText(keys, row);
  const isUndated = row.hash === (await conversationHash(keys, text, null));
  return {
    id: row.id,
    version: row.version,
    ...textVersion(row),
    status: row.status,
    source: row.source,
    title: text.title,
    ...given("project", text.project),
    ...(text.provenance === undefined ? {} : { provenance: provenanceLine(text.provenance) }),
    client: row.client,
    grant_id: row.grantId,
    created_at: iso(row.createdAt),
    updated_at: iso(row.updatedAt),
    ...(isUndated ? { is_undated: true } : {}),
    created_op: row.createdOp,
    changed_op: row.changedOp,
    ...given("trashed_at", isoOrNull(row.trashedAt)),
    ...given("trashed_op", row.trashedOp),
  };
}

function messageFields(
  row: ExportRow<MessageRow | MessageVersionRow>,
  text: MessageText,
): Omit<LineOf<"message">, "type"> {
  return {
    conversation: row.conversation.replace(REMOVED_FROM, ""),
    id: row.id,
    position: row.position,
    version: row.version,
    ...textVersion(row),
    role: row.role,
    text: text.text,
    ...given("name", text.name),
    ...given("model", text.model),
    ...(text.attachments === undefined
      ? {}
      : {
          attachments: text.attachments.map(({ name, text: inside }) => ({
            name,
            ...given("text", inside),
          })),
        }),
    ...(text.provenance === undefined
      ? {}
      : { provenance: messageProvenanceLine(text.provenance) }),
    ...given("created_at", isoOrNull(row.createdAt)),
    created_op: row.createdOp,
    changed_op: row.changedOp,
  };
}

function replacementOf(row: { readonly replacedOp: string; readonly replacedAt: number }) {
  return { replaced_op: row.replacedOp, replaced_at: iso(row.replacedAt) };
}

function textVersion(row: { readonly version: number; readonly bodyVersion: number }) {
  return row.bodyVersion === row.version ? {} : { text_version: row.bodyVersion };
}

function given<Key extends string, Value>(key: Key, value: Value | null | undefined) {
  // True because a computed key is typed as any string.
  return (value == null ? {} : { [key]: value }) as { [Name in Key]?: Value };
}

function isoOrNull(time: number | null): string | null {
  return time === null ? null : iso(time);
}
