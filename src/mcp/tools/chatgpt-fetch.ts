import * as z from "zod";
import { readConversation } from "../../conversations/read.ts";
import { UserError } from "../../errors.ts";
import { getMemory } from "../../memory/get.ts";
import { opening } from "../../search/snippet.ts";
import { AS_DATA, compact, iso } from "../answers.ts";
import { documentId, documentUrl, readDocumentId, type DocumentName } from "../documents.ts";
import { defineTool, type ToolContext } from "../tool.ts";

/** Below the 150,000 characters that hosts cut results at. Each conversation goes on under the id in `metadata.continues`. */
const PAGE = { order: "asc", limit: 200, maxTokens: 20_000 } as const;
const TITLE_CHARS = 120;

interface Document {
  readonly title: string;
  readonly text: string;
  /** Strings only, as ChatGPT documents them. */
  readonly metadata: Readonly<Record<string, string | null>>;
}

/** Name and shapes are ChatGPT's own: https://platform.openai.com/docs/mcp. */
export const chatgptFetch = defineTool({
  name: "fetch",
  title: "Fetch a memory or conversation",
  description:
    "Read one whole memory or imported conversation by the id that search gave. A long conversation goes on under the id in metadata.continues.",
  input: z.object({ id: z.string().min(1).max(1_200) }),
  // None: `furtherScope` reads the id as it was sent.
  aliases: {},
  output: { id: "string", title: "string", text: "string", url: "string", metadata: "object" },
  annotations: {
    readOnlyHint: true,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  },
  scope: "memories:read",
  furtherScope: ({ id }) =>
    typeof id === "string" && readDocumentId(id)?.kind === "conversation"
      ? "conversations:read"
      : null,

  async run({ id }, context) {
    const name = readDocumentId(id);
    if (name === null) {
      throw new UserError("not_found", "There is no such id.", "Send an id as search gave it.");
    }
    const { title, text, metadata } = await openDocument(context, name);
    const structured = {
      id,
      title,
      text,
      url: documentUrl(context.publicOrigin, name),
      metadata: compact({ note: AS_DATA, ...metadata }),
    };
    return { structured, text: JSON.stringify(structured) };
  },
});

function openDocument({ account }: ToolContext, name: DocumentName): Promise<Document> {
  switch (name.kind) {
    case "memory":
      return openMemory(account, name.id);
    case "conversation":
      return openConversation(account, name);
  }
}

async function openMemory(account: ToolContext["account"], id: string): Promise<Document> {
  const { memory } = await getMemory(account, id, false);
  return {
    title: opening(memory.content, TITLE_CHARS),
    text: memory.content,
    metadata: {
      kind: "memory",
      category: memory.category,
      project: memory.project ?? null,
      tags: memory.tags.length === 0 ? null : memory.tags.join(", "),
      status: memory.status,
      saved_by: memory.client,
      created_at: iso(memory.createdAt),
      updated_at: iso(memory.updatedAt),
      superseded_by: memory.supersededBy,
    },
  };
}

async function openConversation(
  account: ToolContext["account"],
  name: Extract<DocumentName, { kind: "conversation" }>,
): Promise<Document> {
  const { conversation, messages, nextCursor } = await readConversation(account, {
    ...PAGE,
    id: name.id,
    around: name.message,
    cursor: name.cursor,
  });
  return {
    title: conversation.title === "" ? "(untitled)" : conversation.title,
    text: messages.map(({ role, text }) => `${role}: ${text}`).join("\n\n"),
    metadata: {
      kind: "conversation",
      platform: conversation.source,
      project: conversation.project ?? null,
      message_count: String(conversation.messageCount),
      created_at: iso(conversation.createdAt),
      updated_at: iso(conversation.updatedAt),
      continues: nextCursor === null ? null : documentId({ ...name, cursor: nextCursor }),
    },
  };
}
