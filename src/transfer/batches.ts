/**
 * Cuts a reading into batches, each of which one request carries and one write makes true. A conversation that is longer than a batch goes
 * in parts, each of which says which message it follows. The same reading and limits give the same batches, so that an import can go on
 * at the number where it stopped.
 */
import { utf8 } from "../vault/bytes.ts";
import type { MessageProvenance, Provenance } from "../vault/provenance.ts";
import { conversationDigest } from "./conversation-digest.ts";
import type {
  IdentifiedConversation,
  IdentifiedMemory,
  IdentifiedMessage,
  IdentifiedRecord,
} from "./identify.ts";
import type { ItemKind, SkipReason } from "./records.ts";

/** What one batch may hold. */
export interface BatchLimits {
  /** Of its records as JSON. A single message may be longer. */
  readonly chars: number;
  readonly conversations: number;
  readonly messages: number;
  readonly memories: number;
}

export interface ConversationPart {
  readonly isLast: boolean;
  /** The last message of the part before; null in the first. */
  readonly previous: MessageProvenance | null;
  /** The first messages of the whole, where it is known by how it begins: tells it from others that begin alike. */
  readonly opening?: readonly MessageProvenance[] | undefined;
}

/** Stands for a conversation, or a part of one, that the server says is there as the file has it. */
export interface UnchangedConversation {
  readonly type: "unchanged";
  readonly provenance: Provenance;
  /** Of the whole (`conversation-digest.ts`). */
  readonly digest: string;
  /** How many of its messages it stands for. */
  readonly messages: number;
  readonly isLast: boolean;
}

export type BatchRecord = ReadRecord | UnchangedConversation;

/** As the reader makes it. */
export type ReadRecord =
  | {
      readonly type: "conversation";
      readonly conversation: IdentifiedConversation;
      /** Absent: the conversation is whole. */
      readonly part?: ConversationPart | undefined;
      /** Of the whole. The server makes its own and is not sent this one. */
      readonly digest?: string;
    }
  | { readonly type: "memory"; readonly memory: IdentifiedMemory }
  | {
      readonly type: "skipped";
      readonly kind: ItemKind;
      readonly reason: SkipReason;
      readonly count: number;
      readonly examples: readonly string[];
    };

/** 1 MiB, as JSON. */
const MAX_MESSAGE_BYTES = 1_048_576;
/** Of a conversation that goes in parts. Arbitrary. */
export const OPENING_MESSAGES = 8;
/** Of a kind of skip, in a report. */
export const MAX_EXAMPLES = 3;

/** Looking one up takes a tenth of what comparing and writing a small one does. */
const NAMED_FOR_ONE_SENT = 10;

/** How many conversations a batch may name. */
export function namedLimit({ conversations }: BatchLimits): number {
  return conversations * NAMED_FOR_ONE_SENT;
}

export async function* batchesOf(
  records: AsyncIterable<IdentifiedRecord>,
  limits: BatchLimits,
  { withDigests = false }: { readonly withDigests?: boolean } = {},
): AsyncGenerator<readonly ReadRecord[], void> {
  let batch = emptyBatch();
  for await (const record of records) {
    switch (record.type) {
      case "skipped":
        batch.skip(record.kind, record.reason, record.count, record.example);
        break;
      case "memory": {
        const chars = JSON.stringify(record.memory).length;
        if (!batch.hasRoom(limits, { memories: 1, chars })) {
          yield batch.records();
          batch = emptyBatch();
        }
        batch.add(record, { memories: 1, chars });
        break;
      }
      case "conversation": {
        let previous: MessageProvenance | null = null;
        const conversation = withoutTooLarge(record.conversation, batch);
        const { messages, ...head } = conversation;
        const digest = withDigests ? { digest: await conversationDigest(conversation) } : {};
        const headChars = JSON.stringify(head).length;
        const opening =
          head.provenance.isDerived === true
            ? { opening: messages.slice(0, OPENING_MESSAGES).map(({ provenance }) => provenance) }
            : {};
        for (let from = 0; ;) {
          const whole = sizeOf(messages, from, limits, headChars);
          const fits = batch.hasRoom(limits, { conversations: 1, ...whole.size });
          // A conversation that fits a batch of its own is not cut for the room that is left in this one.
          if (!fits && !batch.isEmpty) {
            yield batch.records();
            batch = emptyBatch();
            continue;
          }
          const isLast = whole.end === messages.length;
          const part = from === 0 && isLast ? undefined : { isLast, previous, ...opening };
          batch.add(
            {
              type: "conversation",
              conversation: { ...head, messages: messages.slice(from, whole.end) },
              ...(part === undefined ? {} : { part }),
              ...digest,
            },
            { conversations: 1, ...whole.size },
          );
          if (isLast) break;
          previous = messages[whole.end - 1]?.provenance ?? null;
          from = whole.end;
        }
        break;
      }
    }
  }
  if (!batch.isEmpty) yield batch.records();
}

type Size = Partial<BatchLimits>;

function emptyBatch() {
  const records: ReadRecord[] = [];
  const skips = new Map<string, Extract<ReadRecord, { type: "skipped" }>>();
  const size = { chars: 0, conversations: 0, messages: 0, memories: 0 };
  const names = ["chars", "conversations", "messages", "memories"] as const;
  return {
    get isEmpty() {
      return records.length + skips.size === 0;
    },
    hasRoom: (limits: BatchLimits, more: Size): boolean =>
      names.every((name) => size[name] + (more[name] ?? 0) <= limits[name]),
    add(record: ReadRecord, more: Size): void {
      records.push(record);
      for (const name of names) size[name] += more[name] ?? 0;
    },
    skip(kind: ItemKind, reason: SkipReason, count: number, example: string | undefined): void {
      const key = `${kind} ${reason}`;
      const known = skips.get(key);
      const examples = [...(known?.examples ?? []), ...(example === undefined ? [] : [example])];
      skips.set(key, {
        type: "skipped",
        kind,
        reason,
        count: (known?.count ?? 0) + count,
        examples: examples.slice(0, MAX_EXAMPLES),
      });
    },
    records: (): readonly ReadRecord[] => [...records, ...skips.values()],
  };
}

/** The longest run of messages from one on that a batch of its own holds: at least one message, or none where there are none. */
function sizeOf(
  messages: readonly IdentifiedMessage[],
  from: number,
  limits: BatchLimits,
  headChars: number,
): { readonly end: number; readonly size: { readonly chars: number; readonly messages: number } } {
  let chars = headChars;
  let end = from;
  for (const message of messages.slice(from, from + limits.messages)) {
    const own = JSON.stringify(message).length;
    if (end > from && chars + own > limits.chars) break;
    chars += own;
    end += 1;
  }
  return { end, size: { chars, messages: end - from } };
}

/** What is taken for no message of a conversation. */
export function isTooLarge(message: IdentifiedMessage): boolean {
  // In JSON a UTF-16 unit has at most six bytes: most messages need no count.
  if (message.text.length * 6 < MAX_MESSAGE_BYTES && message.attachments.length === 0) return false;
  return utf8(JSON.stringify(message)).length > MAX_MESSAGE_BYTES;
}

/** It is not sent. */
function withoutTooLarge(
  conversation: IdentifiedConversation,
  batch: ReturnType<typeof emptyBatch>,
): IdentifiedConversation {
  const messages = conversation.messages.filter((message) => {
    if (!isTooLarge(message)) return true;
    batch.skip("message", "too_large", 1, message.text.slice(0, 120).toWellFormed());
    return false;
  });
  return messages.length === conversation.messages.length
    ? conversation
    : { ...conversation, messages };
}
