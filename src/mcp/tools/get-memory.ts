import * as z from "zod";
import { getMemory as get } from "../../memory/get.ts";
import { AS_DATA, compact, iso, memoryAnswer, memoryLine } from "../answers.ts";
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
    return {
      structured: compact({
        memory: { ...memoryAnswer(memory), ...compact({ trashed_at: iso(memory.trashedAt) }) },
        versions: history?.map(memoryAnswer),
      }),
      text: [
        AS_DATA,
        memoryLine(memory),
        ...(history ?? []).map((old) => `Version ${old.version}: ${memoryLine(old)}`),
      ].join("\n"),
    };
  },
});
