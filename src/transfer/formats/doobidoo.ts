/** doobidoo's mcp-memory-service: `{ export_metadata, memories: [...] }`, times in seconds. */
import type { ImportRecord } from "../records.ts";
import { skipped } from "./conversation.ts";
import type { ElementFormat } from "./format.ts";
import { has, idOf, isObject } from "./json.ts";
import { memoryRecord } from "./memory-record.ts";
import { tagsOf } from "./tags.ts";
import { textOf, timeFromSeconds, trimmedTextOf } from "./text.ts";

export const doobidoo = {
  kind: "elements",
  name: "doobidoo memory export",
  source: "doobidoo",
  elementKind: "memory",
  repeatsMemories: false,
  // The metadata may stand behind the memories, beyond the sample.
  matches: (element, members = {}) =>
    has(members, "export_metadata") ||
    (isObject(element) &&
      ["content", "content_hash", "memory_type"].every((key) => has(element, key))),
  read: (element) => [readMemory(element)],
} satisfies ElementFormat;

function readMemory(memory: unknown): ImportRecord {
  if (!isObject(memory)) return skipped("memory", "unreadable");
  return memoryRecord(memory["content"], {
    source: "doobidoo",
    originId: idOf(textOf(memory["content_hash"])),
    tags: [...tagsOf(memory["tags"]), trimmedTextOf(memory["memory_type"])],
    createdAt: timeFromSeconds(memory["created_at"]),
    updatedAt: timeFromSeconds(memory["updated_at"]),
  });
}
