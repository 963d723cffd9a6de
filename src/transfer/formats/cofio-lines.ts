/**
 * The lines of a Cofio archive as an ordinary import takes them: what is there now, known by Cofio's own ids. Earlier states and operations
 * are restored into an empty account only (`restore-archive.ts`), and are no items here.
 */
import type { ImportRecord } from "../records.ts";
import { readCofioConversation, readCofioMemory } from "./cofio.ts";
import { exclude, skipped } from "./conversation.ts";
import type { SequenceFormat } from "./format.ts";
import { has, isObject, type JsonObject } from "./json.ts";

export const cofioLines = {
  kind: "sequence",
  name: "Cofio archive",
  source: "cofio",
  elementKind: "conversation",
  repeatsMemories: false,
  matches: (element) =>
    isObject(element) &&
    has(element, "changed_op") &&
    typeof element["type"] === "string" &&
    /^(?:(?:memory|conversation|message)(?:_version)?|removed_message)$/.test(element["type"]),
  open,
} satisfies SequenceFormat;

function open() {
  // A conversation's messages follow it.
  let conversation: JsonObject | null = null;
  let messages: JsonObject[] = [];

  function end(): readonly ImportRecord[] {
    if (conversation === null) return [];
    const records = readCofioConversation({ ...conversation, messages });
    const isTrashed = conversation["status"] === "trashed";
    conversation = null;
    messages = [];
    return isTrashed ? exclude(records, "trashed") : records;
  }

  function take(line: unknown): readonly ImportRecord[] {
    if (!isObject(line)) return [skipped("conversation", "unreadable")];
    switch (line["type"]) {
      case "memory":
        return [readCofioMemory(line)];
      case "conversation": {
        const before = end();
        // As the platform's own file gave it, so that what is there is known to be unchanged.
        conversation = line["is_undated"] === true ? { ...line, updated_at: null } : line;
        return before;
      }
      case "message":
        if (conversation === null || line["conversation"] !== conversation["id"]) {
          return [skipped("message", "unreadable")];
        }
        messages.push(line);
        return [];
      default:
        return [];
    }
  }

  return { take, end };
}
