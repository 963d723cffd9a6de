import * as z from "zod";
import { searchConversations, type MessageHit } from "../../conversations/search.ts";
import { searchMemories, type MemoryHit } from "../../memory/search.ts";
import { opening } from "../../search/snippet.ts";
import { documentId, documentUrl, type DocumentName } from "../documents.ts";
import { defineTool } from "../tool.ts";

/** Memories first where two are equally relevant: they were written to be found. */
const MEMORIES = { limit: 10, maxTokens: 4_000 };
const CONVERSATIONS = { by: "conversation", limit: 10, maxTokens: 4_000 } as const;
/** Enough to choose what to fetch. Arbitrary. */
const TITLE_CHARS = 120;

/** Name and shapes are ChatGPT's own: https://platform.openai.com/docs/mcp. */
export const chatgptSearch = defineTool({
  name: "search",
  title: "Search memories and conversations",
  description:
    "Find what is known about the user and what was said in their imported chats. Plain words in any language. Open a result with fetch, by its id.",
  input: z.object({ query: z.string().max(1_000) }),
  aliases: { q: "query", text: "query" },
  output: { results: "array" },
  annotations: {
    readOnlyHint: true,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  },
  scope: "memories:read",

  async run({ query }, { account, caller, publicOrigin, scopes }) {
    const [memories, conversations] = await Promise.all([
      searchMemories(account, { query, ...MEMORIES }, caller.now),
      scopes.includes("conversations:read")
        ? searchConversations(account, { query, ...CONVERSATIONS }, caller.now)
        : { hits: [] },
    ]);
    // What a search offers where little matches would be cited as a result.
    const matching = memories.hits.filter(({ matched }) => matched);
    const results = [
      ...matching.map((hit) => ({ ...memoryResult(hit), relevance: hit.relevance })),
      ...conversations.hits.map((hit) => ({ ...messageResult(hit), relevance: hit.relevance })),
    ]
      .sort((one, other) => other.relevance - one.relevance)
      .map(({ name, title }) => ({
        id: documentId(name),
        title,
        url: documentUrl(publicOrigin, name),
      }));
    const structured = { results };
    return { structured, text: JSON.stringify(structured) };
  },
});

interface Result {
  readonly name: DocumentName;
  readonly title: string;
}

function memoryResult({ memory }: MemoryHit): Result {
  return {
    name: { kind: "memory", id: memory.id },
    title: opening(memory.content, TITLE_CHARS),
  };
}

/** A conversation may be long: it is opened where the words were found. */
function messageResult({ conversation, message, snippet: found }: MessageHit): Result {
  return {
    name: { kind: "conversation", id: conversation.id, message: message.id },
    title:
      conversation.title === "" ? found.slice(0, TITLE_CHARS).toWellFormed() : conversation.title,
  };
}
