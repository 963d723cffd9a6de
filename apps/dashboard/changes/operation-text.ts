import type { InferResponseType } from "hono/client";
import type { api } from "../api.ts";
import { counted } from "../words/amounts.ts";

export type Operation = InferResponseType<typeof api.operations.$get>["operations"][number];

const VERBS: Readonly<Record<Operation["kind"], string>> = {
  save: "Saved",
  update: "Changed",
  delete: "Moved to the trash:",
  restore: "Restored",
  import: "Imported",
  undo: "Undid a change of",
  rule: "A memory rule retired",
  sync: "Synced",
};

/** `Imported 12 conversations, 3 memories`. */
export function operationText({ kind, counts }: Operation): string {
  const { conversations = 0, messages = 0, memories = 0 } = counts;
  const parts = [
    ...(conversations === 0 ? [] : [counted(conversations, "conversation")]),
    ...(conversations === 0 && messages > 0 ? [counted(messages, "message")] : []),
    ...(memories === 0 ? [] : [counted(memories, "memory", "memories")]),
  ];
  return `${VERBS[kind]} ${parts.length === 0 ? "something" : parts.join(", ")}`;
}
