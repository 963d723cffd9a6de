/** Conversations: by the tools that assistants use, and into the trash and out of it again. */
import { Hono } from "hono";
import * as z from "zod";
import {
  deleteConversations,
  MAX_CONVERSATIONS,
  noConversation,
  restoreConversation,
  type TrashResult,
} from "../conversations/trash.ts";
import { UserError } from "../errors.ts";
import { getConversation } from "../mcp/tools/get-conversation.ts";
import { listConversations } from "../mcp/tools/list-conversations.ts";
import { searchConversations } from "../mcp/tools/search-conversations.ts";
import type { Scope } from "../scopes.ts";
import type { ApiContext } from "./api.ts";
import { readJson, readObject } from "./read-json.ts";
import { requireScope } from "./require-scope.ts";
import { runTool } from "./run-tool.ts";

const WANTED = `Send {"ids": ["…"]}, at most ${MAX_CONVERSATIONS} of them.`;
const SEARCH_WANTED = 'Send {"query": "…"}.';
/** Answers tell which ids there are, as reading would. */
const DELETE_SCOPES: readonly Scope[] = ["conversations:read", "memories:delete"];

export const deleteSchema = z.object({
  ids: z.array(z.string().min(1).max(64)).min(1).max(MAX_CONVERSATIONS),
});

export function conversations(context: ApiContext) {
  const { account, caller, scopes } = context;
  const requireDeleting = () => {
    for (const scope of DELETE_SCOPES) requireScope(scopes, scope);
  };
  return new Hono()
    .get("/", async (c) => c.json(await runTool(listConversations, context, c.req.query())))
    .post("/search", async (c) =>
      c.json(await runTool(searchConversations, context, await readObject(c, SEARCH_WANTED))),
    )
    .post("/delete", async (c) => {
      requireDeleting();
      const parsed = deleteSchema.safeParse(await readJson(c, WANTED));
      if (!parsed.success) {
        throw new UserError("invalid_input", "These are no ids of conversations.", WANTED);
      }
      const ids = [...new Set(parsed.data.ids)];
      const { notFound, ...result } = await deleteConversations(account, ids, caller);
      return c.json({ ...deletedAnswer(result), not_found: notFound });
    })
    .get("/:id", async (c) =>
      c.json(await runTool(getConversation, context, c.req.query(), { id: c.req.param("id") })),
    )
    .delete("/:id", async (c) => {
      requireDeleting();
      const result = await deleteConversations(account, [c.req.param("id")], caller);
      if (result.notFound.length > 0) throw noConversation();
      return c.json(deletedAnswer(result));
    })
    .post("/:id/restore", async (c) => {
      requireDeleting();
      const result = await restoreConversation(account, c.req.param("id"), caller);
      return c.json({ operation_id: result.operationId, restored: result.moved });
    });
}

function deletedAnswer({ operationId, moved, unchanged }: Omit<TrashResult, "notFound">) {
  return { operation_id: operationId, deleted: moved, already_deleted: unchanged };
}
