/** How a memory of a foreign file becomes a record. */
import type { ImportedMemory, ImportRecord } from "../records.ts";
import { skipped } from "./conversation.ts";
import { textOf } from "./text.ts";

export interface FoundMemory extends Pick<ImportedMemory, "source" | "category"> {
  readonly originId?: string | null;
  readonly tags?: readonly string[];
  /** Milliseconds; null where the file does not say. */
  readonly createdAt?: number | null;
  readonly updatedAt?: number | null;
  readonly expiresAt?: number | null;
}

/** A memory if there is text to remember, and otherwise why it is left out. */
export function memoryRecord(
  content: unknown,
  {
    originId = null,
    tags = [],
    createdAt = null,
    updatedAt = null,
    expiresAt = null,
    ...known
  }: FoundMemory,
): ImportRecord {
  if (typeof content !== "string") return skipped("memory", "unreadable");
  const text = textOf(content).trim();
  if (text === "") return skipped("memory", "empty");
  return {
    type: "memory",
    memory: {
      ...known,
      originId,
      content: text,
      tags: [...new Set(tags)].filter((tag) => tag !== ""),
      ...(createdAt === null ? {} : { createdAt }),
      ...(updatedAt === null ? {} : { updatedAt }),
      ...(expiresAt === null ? {} : { expiresAt }),
    },
  };
}
