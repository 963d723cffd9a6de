/** Changes of memories: what they ask of the API, and what they say. */
import type { InferRequestType } from "hono/client";
import { answerOf, api } from "../api.ts";
import { useChange } from "../changes/change.ts";
import { counted } from "../words/amounts.ts";
import type { Status } from "./memory.ts";

export type MemoryChanges = InferRequestType<(typeof api.memories)[":id"]["$patch"]>["json"];

export interface ManyChange {
  readonly ids: readonly string[];
  /** What is done to them: `active` restores or approves. */
  readonly status?: Exclude<Status, "pending">;
  readonly add_tags?: readonly string[];
  readonly remove_tags?: readonly string[];
  /** What is said of it: `Approved`. */
  readonly done: string;
}

/** As many as one operation takes (`MAX_MEMORIES` of the server). */
export const MOST_AT_ONCE = 200;

const LEFT_REASONS: Readonly<Record<string, string>> = {
  not_found: "gone by now",
  unchanged: "so already",
  changed_since: "changed meanwhile",
  duplicate: "said by another memory",
  redacted: "taken out for good",
};

/** One operation with one undo, of one memory or of many. */
export function useChangeMany() {
  return useChange({
    make: ({ ids, done: _done, ...change }: ManyChange) =>
      answerOf(api.memories.change.$post({ json: { ids: [...ids], ...change } })),
    say({ changed, left }, { done }) {
      const what =
        changed.length === 0
          ? "Nothing was changed."
          : `${done}: ${counted(changed.length, "memory", "memories")}.`;
      const reasons = new Set(left.map(({ reason }) => LEFT_REASONS[reason] ?? reason));
      return left.length === 0
        ? what
        : `${what} Left as they are: ${left.length} (${[...reasons].join(", ")}).`;
    },
  });
}
