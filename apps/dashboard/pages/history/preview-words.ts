import type { InferResponseType } from "hono/client";
import type { api } from "../../api.ts";
import { counted } from "../../words/amounts.ts";

type Preview = InferResponseType<typeof api.undo.preview.$post>;

/** What was done, by kind of change. */
const DID: Readonly<Record<Preview["kinds"][number]["kind"], string>> = {
  save: "saved",
  update: "changed",
  delete: "moved to the trash",
  restore: "brought back",
  import: "imported",
  undo: "undone",
  rule: "retired by a rule",
  sync: "synced",
};

/** `5 changes: 3 memories saved, 1 conversation imported.` */
export function previewWords({ operations, kinds }: Preview): string {
  if (operations === 0) return "It changed nothing since then.";
  const parts = kinds.flatMap(({ kind, memories, conversations }) => {
    const items = [
      ...(memories === 0 ? [] : [counted(memories, "memory", "memories")]),
      ...(conversations === 0 ? [] : [counted(conversations, "conversation")]),
    ];
    return items.length === 0 ? [] : [`${items.join(" and ")} ${DID[kind]}`];
  });
  const sum = counted(operations, "change");
  return parts.length === 0 ? `${sum}.` : `${sum}: ${parts.join(", ")}.`;
}
