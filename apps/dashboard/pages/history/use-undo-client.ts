import { useQueryClient } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { useState } from "react";
import { answerOf, api, toProblem } from "../../api.ts";
import { readAgain } from "../../live/read-again.ts";
import type { Undone } from "../../changes/change.ts";
import { tellProblem } from "../../states/toasts.tsx";
import { counted } from "../../words/amounts.ts";

export interface Progress {
  /** Operations that were looked at, and how many there were. */
  readonly done: number;
  readonly total: number;
  readonly isRunning: boolean;
  readonly memories: number;
  readonly conversations: number;
  readonly left: Undone["left"];
  readonly restoredBackups: number;
}

interface Asked {
  readonly grant_id: string;
  readonly since: string;
}

/** Undoes operation after operation, as many requests as it takes. What was done stays done when one of them fails. */
export function useUndoClient() {
  const queries = useQueryClient();
  const [progress, setProgress] = useState<Progress | null>(null);

  const run = async (asked: Asked, total: number): Promise<void> => {
    let sum: Progress = { ...NOTHING, total };
    setProgress(sum);
    try {
      let before: string | null = null;
      do {
        const page: Page = await answerOf(
          api.undo.$post({ json: { ...asked, ...(before === null ? {} : { before }) } }),
        );
        sum = page.results.reduce(added, sum);
        setProgress(sum);
        before = page.next_before;
      } while (before !== null);
    } catch (error) {
      tellProblem(toProblem(error));
    } finally {
      setProgress({ ...sum, isRunning: false });
      await readAgain(queries, { isOwn: true });
    }
  };
  return { progress, run };
}

export function undoneWords({ memories, conversations, done }: Progress): string {
  const parts = [
    ...(memories === 0 ? [] : [counted(memories, "memory", "memories")]),
    ...(conversations === 0 ? [] : [counted(conversations, "conversation")]),
  ];
  return parts.length === 0
    ? "Nothing was left to undo."
    : `Undone: ${parts.join(", ")}, in ${counted(done, "change")}.`;
}

type Page = InferResponseType<typeof api.undo.$post>;

const NOTHING: Progress = {
  done: 0,
  total: 0,
  isRunning: true,
  memories: 0,
  conversations: 0,
  left: [],
  restoredBackups: 0,
};

function added(sum: Progress, result: Page["results"][number]): Progress {
  const done = sum.done + 1;
  if ("not_undone" in result) return { ...sum, done, restoredBackups: sum.restoredBackups + 1 };
  return {
    ...sum,
    done,
    memories: sum.memories + result.undone.memories,
    conversations: sum.conversations + result.undone.conversations,
    left: [...sum.left, ...result.left],
  };
}
