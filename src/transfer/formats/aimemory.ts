/** aimemory: `{ count, memories: [...], exported_at }`, or the bare list. */
import type { ImportRecord } from "../records.ts";
import { skipped } from "./conversation.ts";
import type { ElementFormat } from "./format.ts";
import { has, idOf, isObject } from "./json.ts";
import { memoryRecord } from "./memory-record.ts";
import { tagsOf } from "./tags.ts";
import { textOf, timeFromIso } from "./text.ts";

export const aimemory = {
  kind: "elements",
  name: "aimemory export",
  source: "aimemory",
  elementKind: "memory",
  repeatsMemories: false,
  matches: (element) =>
    isObject(element) && ["content", "tags", "source"].every((key) => has(element, key)),
  read: (element) => [readMemory(element)],
} satisfies ElementFormat;

function readMemory(memory: unknown): ImportRecord {
  if (!isObject(memory)) return skipped("memory", "unreadable");
  const { id } = memory;
  return memoryRecord(memory["content"], {
    source: "aimemory",
    originId: typeof id === "number" ? String(id) : idOf(textOf(id)),
    tags: tagsOf(memory["tags"]),
    createdAt: timeFromIso(memory["created_at"]),
    updatedAt: timeFromIso(memory["updated_at"]),
  });
}
