import { counted } from "./amounts.ts";

/** Kinds of what is in an export or a backup, in this order; the rest (labels, versions, the operations' own rows) says nothing to a person. */
const KINDS = [
  ["memories", "memory", "memories"],
  ["conversations", "conversation", "conversations"],
  ["messages", "message", "messages"],
] as const;

/** `12 memories, 3 conversations, 40 messages`. @param counts by kind or table */
export function contentsText(counts: Readonly<Record<string, number>>): string {
  const parts = KINDS.flatMap(([name, one, many]) => {
    const count = counts[name] ?? 0;
    return count === 0 ? [] : [counted(count, one, many)];
  });
  return parts.length === 0 ? "nothing" : parts.join(", ");
}
