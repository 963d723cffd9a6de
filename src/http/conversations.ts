/** Conversations into the trash and out of it again. */
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
import type { Scope } from "../scopes.ts";
import type { ApiContext } from "./api.ts";
import { readJson } from "./read-json.ts";
import { requireScope } from "./require-scope.ts";

const WANTED = `Send {"ids": ["…"]}, at most ${MAX_CONVERSATIONS} of them.`;
/** Answers tell which ids there are, as reading would. */
const DELETE_SCOPES: readonly Scope[] = ["conversations:read", "memories:delete"];

const deleteSchema = z.object({
  ids: z.array(z.string().min(1).max(64)).min(1).max(MAX_CONVERSATIONS),
});

export function conversations({ account, caller, scopes }: ApiContext) {
  const api = new Hono();
  api.use(async (_c, next) => {
    for (const scope of DELETE_SCOPES) requireScope(scopes, scope);
    await next();
  });
  return api
    .post("/delete", async (c) => {
      const parsed = deleteSchema.safeParse(await readJson(c, WANTED));
      if (!parsed.success) {
        throw new UserError("invalid_input", "These are no ids of conversations.", WANTED);
      }
      const ids = [...new Set(parsed.data.ids)];
      const { notFound, ...result } = await deleteConversations(account, ids, caller);
      return c.json({ ...deletedAnswer(result), not_found: notFound });
    })
    .delete("/:id", async (c) => {
      const result = await deleteConversations(account, [c.req.param("id")], caller);
      if (result.notFound.length > 0) throw noConversation();
      return c.json(deletedAnswer(result));
    })
    .post("/:id/restore", async (c) => {
      const result = await restoreConversation(account, c.req.param("id"), caller);
      return c.json({ operation_id: result.operationId, restored: result.moved });
    });
}

function deletedAnswer({ operationId, moved, unchanged }: Omit<TrashResult, "notFound">) {
  return { operation_id: operationId, deleted: moved, already_deleted: unchanged };
}
