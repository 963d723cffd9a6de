import * as z from "zod";
import { matchingConversations } from "../../conversations/search.ts";
import { searchMemories } from "../../memory/search.ts";
import {
  AS_DATA,
  compact,
  conversationAnswer,
  memoryAnswer,
  memoryLine,
  moreLine,
} from "../answers.ts";
import {
  cursor,
  filterAliases,
  flag,
  fraction,
  maxTokens,
  memoryFilters,
  pageSize,
} from "../fields.ts";
import { spanOf } from "../spans.ts";
import { defineTool, type ToolAnswer, type ToolContext } from "../tool.ts";

const searchInput = z.object({
  query: z.string().max(1_000).default(""),
  ...memoryFilters,
  min_relevance: fraction(),
  include_past: flag().describe("Superseded and expired ones too"),
  limit: pageSize(10, 50),
  max_tokens: maxTokens(2_000),
  cursor: cursor(),
});

export const searchMemory = defineTool({
  name: "search_memory",
  title: "Search memories",
  description:
    "Find what is known about the user, their projects, people, preferences and decisions; call it before answering anything that may depend on that. Plain words in any language; empty gives the newest. Hits with `matched: false` share no word with the query but may answer it. For past chats use search_conversations.",
  input: searchInput,
  aliases: { ...filterAliases, q: "query", text: "query", search: "query" },
  output: { results: "array", conversations: "array", total: "number", next_cursor: "string" },
  annotations: {
    readOnlyHint: true,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  },
  scope: "memories:read",
  run: answerSearch,
});

/** What the tool answers; over HTTP a memory's client is a filter too. */
export async function answerSearch(
  input: z.output<typeof searchInput> & { readonly client?: string | undefined },
  { account, caller, scopes }: ToolContext,
): Promise<ToolAnswer> {
  const [{ hits, total, nextCursor }, conversations] = await Promise.all([
    searchMemories(
      account,
      {
        query: input.query,
        tags: input.tags,
        tagMatch: input.tag_match,
        project: input.project,
        category: input.category,
        source: input.source,
        client: input.client,
        ...spanOf(input, caller.now, account.timeZone),
        minRelevance: input.min_relevance,
        includePast: input.include_past,
        limit: input.limit,
        maxTokens: input.max_tokens,
        cursor: input.cursor,
      },
      caller.now,
    ),
    // Only on the first page, and only for a client that may read conversations.
    input.cursor === undefined && scopes.includes("conversations:read")
      ? matchingConversations(account, input.query, { ...CONVERSATIONS, now: caller.now })
      : [],
  ]);
  const results = hits.map(({ memory, snippet, matched, relevance, why }) => {
    const { content, ...rest } = memoryAnswer(memory);
    return compact({
      ...rest,
      ...(snippet === null ? { content } : { snippet }),
      matched,
      relevance,
      why,
    });
  });
  const lines = hits.map(({ memory, snippet, matched, relevance }) =>
    [
      matched ? relevance.toFixed(2) : "not matched:",
      memoryLine(memory, snippet ?? memory.content),
    ].join(" "),
  );
  return {
    structured: compact({
      results,
      conversations:
        conversations.length === 0
          ? null
          : conversations.map((found) => {
              const { id, title, platform, updated_at } = conversationAnswer(found);
              return { id, title, platform, updated_at };
            }),
      total,
      next_cursor: nextCursor,
    }),
    text: [
      ...(lines.length === 0 ? ["No memories."] : [AS_DATA, ...lines]),
      ...moreLine(nextCursor),
      ...conversations.map(({ id, title }) => `Conversation [${id}]: ${title}`),
    ].join("\n"),
  };
}

/** The best three that are worth a look; the memories are the answer. */
const CONVERSATIONS = { minRelevance: 0.5, limit: 3 };
