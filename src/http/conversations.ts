/** Conversations: by the tools that assistants use, and into the trash and out of it again. */
import { Hono } from "hono";
import * as z from "zod";
import type { Conversation } from "../conversations/conversation.ts";
import {
  deleteConversations,
  MAX_CONVERSATIONS,
  noConversation,
  restoreConversations,
  type TrashResult,
} from "../conversations/trash.ts";
import { listConversations as listPage } from "../conversations/list.ts";
import { readStretch, type Stretch } from "../conversations/read.ts";
import { searchConversations as searchMessages, type MessageHit } from "../conversations/search.ts";
import { UserError } from "../errors.ts";
import { compact, conversationAnswer, iso } from "../mcp/answers.ts";
import { parseArguments } from "../mcp/arguments.ts";
import { spanOf } from "../mcp/spans.ts";
import { getConversation } from "../mcp/tools/get-conversation.ts";
import { listConversations } from "../mcp/tools/list-conversations.ts";
import { searchConversations } from "../mcp/tools/search-conversations.ts";
import { TRASH_DAYS } from "../memory/memory.ts";
import type { Scope } from "../scopes.ts";
import { MESSAGE_CANDIDATES } from "../storage/message-index.ts";
import type { ApiContext } from "./api.ts";
import type {
  ConversationPage,
  MessageHits,
  MessagePage,
  messageStretch,
} from "./openapi/answers.ts";
import { readJson, readObject } from "./read-json.ts";
import { requireScope } from "./require-scope.ts";
import { MAX_TOKENS, runTool } from "./run-tool.ts";
import { takesJson, takesQuery, type InputOf } from "./takes.ts";

const WANTED = `Send {"ids": ["…"]}, at most ${MAX_CONVERSATIONS} of them.`;
const SEARCH_WANTED = 'Send {"query": "…"}.';
/** Answers tell which ids there are, as reading would. */
const DELETE_SCOPES: readonly Scope[] = ["conversations:read", "memories:delete"];

const STRETCH_WANTED = "Send `from`, a position, or `around`, a message's id.";
/** Messages at once. Arbitrary. */
const MOST_MESSAGES = 100;

export const stretchSchema = z.object({
  from: z.coerce.number().int().min(0).default(0),
  around: z.string().max(64).optional().describe("Message id: a little before it, not at `from`"),
  limit: z.coerce.number().int().min(1).max(MOST_MESSAGES).default(MOST_MESSAGES),
});
export const searchSchema = z.object({ query: z.string().max(1_000) });
export const idsSchema = z.object({
  ids: z.array(z.string().min(1).max(64)).min(1).max(MAX_CONVERSATIONS),
});

export const listedStatus = z.enum(["active", "trashed"]).default("active");
/** As the tool, and what is in the trash too: assistants have no business there. */
const listing = {
  name: listConversations.name,
  input: listConversations.input.extend({ status: listedStatus }),
  aliases: listConversations.aliases,
};
const DAY_MS = 86_400_000;

export function conversations(context: ApiContext) {
  const { account, caller, scopes } = context;
  const requireDeleting = () => {
    for (const scope of DELETE_SCOPES) requireScope(scopes, scope);
  };
  return new Hono()
    .get("/", takesQuery<z.input<typeof listing.input>>(), async (c) => {
      requireScope(scopes, "conversations:read");
      const asked = { max_tokens: MAX_TOKENS, ...c.req.query() };
      const input = parseArguments(listing, asked, "/api/docs");
      const { conversations, total, nextCursor } = await listPage(account, {
        source: input.platform,
        status: input.status,
        ...spanOf(input, caller.now, account.timeZone),
        order: input.order,
        limit: input.limit,
        maxTokens: input.max_tokens,
        cursor: input.cursor,
      });
      const page = {
        conversations: conversations.map(listedAnswer),
        total,
        next_cursor: nextCursor,
      };
      return c.json(compact(page) as ConversationPage);
    })
    .post("/search", takesJson<InputOf<typeof searchConversations>>(), async (c) => {
      const asked = await readObject(c, SEARCH_WANTED);
      return c.json(await runTool<MessageHits>(searchConversations, context, asked));
    })
    .post("/delete", takesJson<z.input<typeof idsSchema>>(), async (c) => {
      requireDeleting();
      const ids = idsOf(await readJson(c, WANTED));
      const { notFound, ...result } = await deleteConversations(account, ids, caller);
      return c.json({ ...deletedAnswer(result), not_found: notFound });
    })
    .post("/restore", takesJson<z.input<typeof idsSchema>>(), async (c) => {
      requireDeleting();
      const ids = idsOf(await readJson(c, WANTED));
      const { notFound, unchanged, ...result } = await restoreConversations(account, ids, caller);
      return c.json({ ...restoredAnswer(result), unchanged, not_found: notFound });
    })
    .get("/:id", takesQuery<Omit<InputOf<typeof getConversation>, "id">>(), async (c) =>
      c.json(
        await runTool<MessagePage>(getConversation, context, c.req.query(), {
          id: c.req.param("id"),
        }),
      ),
    )
    .get("/:id/messages", takesQuery<z.input<typeof stretchSchema>>(), async (c) => {
      requireScope(scopes, "conversations:read");
      const parsed = stretchSchema.safeParse(c.req.query());
      if (!parsed.success) {
        throw new UserError("invalid_input", "This names no messages.", STRETCH_WANTED);
      }
      const stretch = await readStretch(account, c.req.param("id"), parsed.data);
      return c.json(stretchAnswer(stretch));
    })
    .post("/:id/search", takesJson<z.input<typeof searchSchema>>(), async (c) => {
      requireScope(scopes, "conversations:read");
      const parsed = searchSchema.safeParse(await readJson(c, SEARCH_WANTED));
      if (!parsed.success) {
        throw new UserError("invalid_input", "`query` is no text.", SEARCH_WANTED);
      }
      const asked = {
        query: parsed.data.query,
        conversation: c.req.param("id"),
        by: "message",
        datesAsSent: "",
        limit: MESSAGE_CANDIDATES,
        maxTokens: MAX_TOKENS,
      } as const;
      const { hits } = await searchMessages(account, asked, caller.now);
      return c.json({ results: hits.map(foundAnswer).sort((a, b) => a.position - b.position) });
    })
    .delete("/:id", async (c) => {
      requireDeleting();
      const result = await deleteConversations(account, [c.req.param("id")], caller);
      if (result.notFound.length > 0) throw noConversation();
      return c.json(deletedAnswer(result));
    })
    .post("/:id/restore", async (c) => {
      requireDeleting();
      const result = await restoreConversations(account, [c.req.param("id")], caller);
      if (result.notFound.length > 0) throw noConversation();
      return c.json(restoredAnswer(result));
    });
}

/** Each once. @throws UserError invalid_input */
function idsOf(sent: unknown): string[] {
  const parsed = idsSchema.safeParse(sent);
  if (parsed.success) return [...new Set(parsed.data.ids)];
  throw new UserError("invalid_input", "These are no ids of conversations.", WANTED);
}

function listedAnswer(conversation: Conversation) {
  const { trashedAt } = conversation;
  const until = trashedAt === null ? null : iso(trashedAt + TRASH_DAYS * DAY_MS);
  return { ...conversationAnswer(conversation), ...compact({ restorable_until: until }) };
}

function stretchAnswer({ conversation, messages, end }: Stretch): z.infer<typeof messageStretch> {
  // Without what was not said of it, and that is all that `compact` takes away.
  const answer = compact({
    conversation: conversationAnswer(conversation),
    messages: messages.map(({ id, position, role, text, name, model, createdAt }) =>
      compact({ id, position, role, text, name, model, created_at: iso(createdAt) }),
    ),
    end,
  });
  return answer as z.infer<typeof messageStretch>;
}

function foundAnswer({ message: { id, position }, snippet, why }: MessageHit) {
  return { id, position, snippet, why };
}

function restoredAnswer({ operationId, moved }: Pick<TrashResult, "operationId" | "moved">) {
  return { operation_id: operationId, restored: moved };
}

function deletedAnswer({ operationId, moved, unchanged }: Omit<TrashResult, "notFound">) {
  return { operation_id: operationId, deleted: moved, already_deleted: unchanged };
}
