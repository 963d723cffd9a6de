/** mem0's memories as its API lists them: `{ results: [...] }`, or the bare list. They are stored as they are. */
import type { ImportRecord } from "../records.ts";
import { skipped } from "./conversation.ts";
import type { ElementFormat } from "./format.ts";
import { has, idOf, isObject, type JsonObject } from "./json.ts";
import { memoryRecord } from "./memory-record.ts";
import { tagsOf } from "./tags.ts";
import { textOf, timeFromIso } from "./text.ts";

export const mem0 = {
  kind: "elements",
  name: "mem0 export",
  source: "mem0",
  elementKind: "memory",
  repeatsMemories: false,
  matches: (element) => {
    if (!isObject(element)) return false;
    const { results } = element;
    return Array.isArray(results) ? results.some(isMemory) : isMemory(element);
  },
  read: (element) => {
    const results = isObject(element) ? element["results"] : null;
    return Array.isArray(results) ? results.map(readMemory) : [readMemory(element)];
  },
} satisfies ElementFormat;

function isMemory(value: unknown): value is JsonObject {
  return isObject(value) && has(value, "id") && has(value, "memory");
}

function readMemory(memory: unknown): ImportRecord {
  if (!isObject(memory)) return skipped("memory", "unreadable");
  return memoryRecord(memory["memory"], {
    source: "mem0",
    originId: idOf(textOf(memory["id"])),
    tags: tagsOf(memory["categories"]),
    createdAt: timeFromIso(memory["created_at"]),
    updatedAt: timeFromIso(memory["updated_at"]),
  });
}
