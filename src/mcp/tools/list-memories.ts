import * as z from "zod";
import { listMemories as listPage } from "../../memory/list.ts";
import { MEMORY_STATUSES } from "../../storage/schema.ts";
import { AS_DATA, compact, memoryAnswer, memoryLine, moreLine } from "../answers.ts";
import { cursor, filterAliases, maxTokens, memoryFilters, pageSize } from "../fields.ts";
import { spanOf } from "../spans.ts";
import { defineTool } from "../tool.ts";

export const listMemories = defineTool({
  name: "list_memories",
  title: "List memories",
  description:
    "Page through memories by date, tag, project, category or status, for an overview or review. To answer a question use search_memory.",
  input: z.object({
    status: z.enum(MEMORY_STATUSES).default("active"),
    order: z.enum(["newest", "oldest", "updated", "important"]).default("newest"),
    ...memoryFilters,
    limit: pageSize(20, 100),
    max_tokens: maxTokens(2_000),
    cursor: cursor(),
  }),
  aliases: { ...filterAliases, sort: "order" },
  output: { memories: "array", total: "number", next_cursor: "string" },
  annotations: {
    readOnlyHint: true,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  },
  scope: "memories:read",

  async run(input, { account, caller }) {
    const { memories, total, nextCursor } = await listPage(account, {
      status: input.status,
      order: input.order,
      tags: input.tags,
      tagMatch: input.tag_match,
      project: input.project,
      category: input.category,
      source: input.source,
      ...spanOf(input, caller.now, account.timeZone),
      limit: input.limit,
      maxTokens: input.max_tokens,
      cursor: input.cursor,
    });
    return {
      structured: compact({ memories: memories.map(memoryAnswer), total, next_cursor: nextCursor }),
      text: [
        `${memories.length} of ${total} ${input.status} memories.`,
        ...(memories.length === 0 ? [] : [AS_DATA]),
        ...memories.map((memory) => memoryLine(memory)),
        ...moreLine(nextCursor),
      ].join("\n"),
    };
  },
});
