import * as z from "zod";
import { listConversations as listPage } from "../../conversations/list.ts";
import { AS_DATA, compact, conversationAnswer, moreLine } from "../answers.ts";
import { cursor, filterAliases, maxTokens, pageSize, source, when } from "../fields.ts";
import { spanOf } from "../spans.ts";
import { defineTool } from "../tool.ts";

export const listConversations = defineTool({
  name: "list_conversations",
  title: "List conversations",
  description:
    'Page through imported conversations by platform and date of the last change, for example `on: "last Tuesday"`.',
  input: z.object({
    platform: source(),
    after: when(),
    before: when(),
    on: when().describe("A day, month or year"),
    order: z.enum(["newest", "oldest"]).default("newest"),
    limit: pageSize(20, 100),
    max_tokens: maxTokens(2_000),
    cursor: cursor(),
  }),
  aliases: { ...filterAliases, platform: "platform", source: "platform", date: "on" },
  output: { conversations: "array", total: "number", next_cursor: "string" },
  annotations: {
    readOnlyHint: true,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  },
  scope: "conversations:read",

  async run(input, { account, caller }) {
    const { conversations, total, nextCursor } = await listPage(account, {
      source: input.platform,
      ...spanOf(input, caller.now, account.timeZone),
      order: input.order,
      limit: input.limit,
      maxTokens: input.max_tokens,
      cursor: input.cursor,
    });
    return {
      structured: compact({
        conversations: conversations.map(conversationAnswer),
        total,
        next_cursor: nextCursor,
      }),
      text: [
        `${conversations.length} of ${total} conversations.`,
        ...(conversations.length === 0 ? [] : [AS_DATA]),
        ...conversations.map(
          ({ id, title, source: platform, updatedAt, messageCount }) =>
            `[${id}] ${title === "" ? "(untitled)" : title} (${platform}, ${new Date(updatedAt).toISOString().slice(0, 10)}, ${messageCount} messages)`,
        ),
        ...moreLine(nextCursor),
      ].join("\n"),
    };
  },
});
