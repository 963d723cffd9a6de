import * as z from "zod";
import { getMemory as get } from "../../memory/get.ts";
import type { Memory } from "../../memory/memory.ts";
import { estimateTokens, takeWithinBudget } from "../../search/token-budget.ts";
import { AS_DATA, compact, cut, iso, memoryAnswer, memoryLine } from "../answers.ts";
import { flag, memoryId } from "../fields.ts";
import { defineTool } from "../tool.ts";

export const getMemory = defineTool({
  name: "get_memory",
  title: "Get a memory",
  description: "One whole memory by id, with `include_history` its earlier versions too.",
  input: z.object({ id: memoryId(), include_history: flag() }),
  aliases: { memory_id: "id", history: "include_history" },
  output: { memory: "object", versions: "array" },
  annotations: {
    readOnlyHint: true,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  },
  scope: "memories:read",

  async run({ id, include_history }, { account }) {
    const { memory, history } = await get(account, id, include_history ?? false);
    const versions = history === null ? null : withinBudget(history);
    return {
      structured: compact({
        memory: { ...memoryAnswer(memory), ...compact({ trashed_at: iso(memory.trashedAt) }) },
        versions: versions?.map(memoryAnswer),
      }),
      text: [
        AS_DATA,
        memoryLine(memory),
        ...(versions ?? []).map((old) => `Version ${old.version}: ${memoryLine(old)}`),
      ].join("\n"),
    };
  },
});

/** Arbitrary: twice what a search gives, for 20 versions of up to 64 KiB each. */
const HISTORY_TOKENS = 4_000;

/**
 * The newest versions whole while they fit beside the beginnings of the others. Where even those are too many, the oldest are left out,
 * which the numbers of the versions show.
 */
function withinBudget(history: readonly Memory[]): Memory[] {
  const shown = takeWithinBudget(
    history.map((memory) => ({ ...memory, content: cut(memory.content) })),
    HISTORY_TOKENS,
    tokensOf,
  );
  let spent = shown.reduce((sum, memory) => sum + tokensOf(memory), 0);
  for (const [index, memory] of history.slice(0, shown.length).entries()) {
    spent += estimateTokens(memory.content) - estimateTokens(shown[index]?.content ?? "");
    if (spent > HISTORY_TOKENS) break;
    shown[index] = memory;
  }
  return shown;
}

function tokensOf(memory: Memory): number {
  return estimateTokens(JSON.stringify(memoryAnswer(memory)));
}
