/** How a reader's findings become records that add up. */
import type {
  ImportedConversation,
  ImportedMessage,
  ImportRecord,
  ItemKind,
  SkipReason,
} from "../records.ts";
import { excerptOf } from "./text.ts";

/** What became of one item of a message list or tree. */
export type MessageReading =
  | { readonly outcome: "message"; readonly message: ImportedMessage }
  | { readonly outcome: "skipped"; readonly reason: SkipReason };

/**
 * A conversation and what was left out of it, one record per reason.
 * Without a single message left it is skipped as empty, whatever its messages were skipped for.
 */
export function conversationRecords(
  conversation: Omit<ImportedConversation, "messages">,
  readings: Iterable<MessageReading>,
): ImportRecord[] {
  const messages: ImportedMessage[] = [];
  const counts = new Map<SkipReason, number>();
  for (const reading of readings) {
    if (reading.outcome === "message") messages.push(reading.message);
    else counts.set(reading.reason, (counts.get(reading.reason) ?? 0) + 1);
  }
  const title = conversation.title ?? "";
  return [
    messages.length > 0
      ? { type: "conversation", conversation: { ...conversation, messages } }
      : skipped("conversation", "empty", { example: title }),
    ...[...counts].map(([reason, count]) => skipped("message", reason, { count, example: title })),
  ];
}

/** An item that is left out, with the text that lets the person recognise it. */
export function skipped(
  kind: ItemKind,
  reason: SkipReason,
  { count = 1, example = "" }: { count?: number; example?: string } = {},
): ImportRecord {
  const excerpt = excerptOf(example);
  return {
    type: "skipped",
    kind,
    reason,
    count,
    ...(excerpt === "" ? {} : { example: excerpt }),
  };
}

/** When a conversation began and ended, from its messages; what is left out says nothing about when the conversation took place. */
export function timesOf(
  readings: readonly MessageReading[],
): Pick<ImportedConversation, "createdAt" | "updatedAt"> {
  let createdAt: number | null = null;
  let updatedAt: number | null = null;
  for (const reading of readings) {
    const time = reading.outcome === "message" ? reading.message.createdAt : null;
    if (time === null) continue;
    createdAt = Math.min(createdAt ?? time, time);
    updatedAt = Math.max(updatedAt ?? time, time);
  }
  return { createdAt, updatedAt };
}

/** What the person asked first, to name a conversation that has no name. */
export function firstWords(readings: readonly MessageReading[]): string {
  for (const reading of readings) {
    if (reading.outcome === "message" && reading.message.role === "user") {
      return excerptOf(reading.message.text);
    }
  }
  return "";
}

/** The same items, left out: a skipped conversation's readable messages count under its reason, the others under their own. */
export function exclude(records: readonly ImportRecord[], reason: SkipReason): ImportRecord[] {
  return records.flatMap((record): ImportRecord[] => {
    switch (record.type) {
      case "conversation": {
        const { messages } = record.conversation;
        const title = record.conversation.title ?? "";
        return [
          skipped("conversation", reason, { example: title }),
          skipped("message", reason, { count: messages.length, example: title }),
        ];
      }
      case "memory":
        return [skipped("memory", reason, { example: record.memory.content })];
      case "skipped":
        return [record];
    }
  });
}
