/** Deleting the account: asked for in words, taken back within its days of grace, and then done by the user's object. */
import { Hono } from "hono";
import * as z from "zod";
import type { Deletion } from "../../account-deletion.ts";
import { UserError } from "../../errors.ts";
import { confirmedOnly } from "../confirmed.ts";
import type { AccountEnv } from "./session-only.ts";
import { validJson } from "./valid.ts";

/** What the person types. */
const DELETE_WORDS = "delete my account";

const requestSchema = z.strictObject({
  confirm: z.literal(DELETE_WORDS, `is to be "${DELETE_WORDS}"`),
});

export const deletion = new Hono<AccountEnv>()
  .post(
    "/",
    confirmedOnly,
    validJson(requestSchema, `Send {"confirm": "${DELETE_WORDS}"}.`),
    async (c) => {
      const { id, sessionId } = c.var.person;
      // Its programs would make it anew with their next start, under the same id.
      if (sessionId === null) {
        throw new UserError(
          "forbidden",
          "There is no account on this server: all of it is a folder of this computer.",
          "End the programs that use it, then delete the folder: ~/.cofio/memory, where none was chosen.",
        );
      }
      const requested = await c.env.USERS.getByName(id).requestDeletion();
      return c.json({ deletion: deletionAnswer(requested) });
    },
  )
  .delete("/", async (c) => {
    const left = await c.env.USERS.getByName(c.var.person.id).takeBackDeletion();
    if (left === null) return c.json({ deletion: null });
    throw new UserError("expired", "The account is being deleted.", "Nothing brings it back.");
  });

export function deletionAnswer({ requestedAt, dueAt }: Deletion) {
  return {
    requested_at: new Date(requestedAt).toISOString(),
    due_at: new Date(dueAt).toISOString(),
  };
}
