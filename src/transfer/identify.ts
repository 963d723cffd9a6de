/**
 * Gives each item of a reading what it is known by: the platform's id, or one derived from what the item says. Readers do this, not the
 * server, so that a conversation may be cut anywhere: its parts say who they are without the rest.
 */
import { canonicalText } from "../memory/canonical.ts";
import { base32, utf8 } from "../vault/bytes.ts";
import type { MessageProvenance, Provenance } from "../vault/provenance.ts";
import type {
  ImportedConversation,
  ImportedMemory,
  ImportedMessage,
  ImportRecord,
} from "./records.ts";

type WithoutOrigin<T> = Omit<T, "originId" | "originPlatform" | "originIsDerived">;

export interface IdentifiedMessage extends WithoutOrigin<ImportedMessage> {
  readonly provenance: MessageProvenance;
}

export interface IdentifiedConversation extends WithoutOrigin<
  Omit<ImportedConversation, "messages">
> {
  readonly provenance: Provenance;
  readonly messages: readonly IdentifiedMessage[];
}

export interface IdentifiedMemory extends WithoutOrigin<ImportedMemory> {
  readonly provenance: Provenance;
}

export type IdentifiedRecord =
  | { readonly type: "conversation"; readonly conversation: IdentifiedConversation }
  | { readonly type: "memory"; readonly memory: IdentifiedMemory }
  | Extract<ImportRecord, { type: "skipped" }>;

export async function* identified(
  records: AsyncIterable<ImportRecord>,
): AsyncGenerator<IdentifiedRecord> {
  for await (const record of records) yield identify(record);
}

async function identify(record: ImportRecord): Promise<IdentifiedRecord> {
  switch (record.type) {
    case "conversation":
      return {
        type: "conversation",
        conversation: await identifyConversation(record.conversation),
      };
    case "memory":
      return { type: "memory", memory: await identifyMemory(record.memory) };
    case "skipped":
      return record;
  }
}

async function identifyConversation({
  originId,
  originPlatform,
  originIsDerived,
  ...conversation
}: ImportedConversation): Promise<IdentifiedConversation> {
  const platform = originPlatform ?? conversation.source;
  const [first] = conversation.messages;
  const opening = [conversation.title, first?.createdAt, first?.role, first?.text];
  return {
    ...conversation,
    updatedAt: latestOf(conversation),
    provenance:
      originId === null
        ? { platform, id: await derivedId(opening), isDerived: true }
        : { platform, id: originId, ...(originIsDerived === true ? { isDerived: true } : {}) },
    messages: await identifyMessages(conversation.messages),
  };
}

/** Platforms date some conversations before their last message. Each part of one says the same. */
function latestOf({
  updatedAt,
  messages,
}: Pick<ImportedConversation, "updatedAt" | "messages">): number | null {
  if (updatedAt === null) return null;
  return messages.reduce((latest, { createdAt }) => Math.max(latest, createdAt ?? 0), updatedAt);
}

/** Without a platform's id, a message is its role, its text and its number among equal ones. */
async function identifyMessages(
  messages: readonly ImportedMessage[],
): Promise<IdentifiedMessage[]> {
  const occurrences = new Map<string, number>();
  const identified: IdentifiedMessage[] = [];
  for (const { originId, originIsDerived, ...message } of messages) {
    if (originId !== null) {
      const provenance =
        originIsDerived === true ? ({ id: originId, isDerived: true } as const) : { id: originId };
      identified.push({ ...message, provenance });
      continue;
    }
    const said = await derivedId([message.role, message.text]);
    const occurrence = (occurrences.get(said) ?? 0) + 1;
    occurrences.set(said, occurrence);
    identified.push({ ...message, provenance: { id: `${said}.${occurrence}`, isDerived: true } });
  }
  return identified;
}

async function identifyMemory({
  originId,
  originPlatform,
  originIsDerived,
  ...memory
}: ImportedMemory): Promise<IdentifiedMemory> {
  const platform = originPlatform ?? memory.source;
  const said = [memory.project, canonicalText(memory.content)];
  return {
    ...memory,
    provenance:
      originId === null
        ? { platform, id: await derivedId(said), isDerived: true }
        : { platform, id: originId, ...(originIsDerived === true ? { isDerived: true } : {}) },
  };
}

/** 130 bits: nobody's own file holds two texts that share them. */
const DERIVED_CHARS = 26;

async function derivedId(parts: readonly unknown[]): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", utf8(JSON.stringify(parts)));
  return base32(new Uint8Array(digest)).slice(0, DERIVED_CHARS);
}
