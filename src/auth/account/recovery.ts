/** The recovery code: whether there is one, making it, and taking it away. */
import { Hono } from "hono";
import { UserError } from "../../errors.ts";
import { confirmedOnly } from "../confirmed.ts";
import { makeRecoveryCode, recoveryCodeMadeAt, removeRecoveryCode } from "../recovery-code.ts";
import type { AccountEnv } from "./session-only.ts";

export const recovery = new Hono<AccountEnv>()
  .get("/", async (c) => {
    const madeAt = await recoveryCodeMadeAt(c.env, c.var.person.id);
    return c.json({ recovery_code: madeAt === null ? null : { created_at: madeAt.toISOString() } });
  })
  .post("/", confirmedOnly, async (c) => {
    const { id, sessionId } = c.var.person;
    if (sessionId === null) {
      throw new UserError("forbidden", "There is no sign-in on this server.", "No code is needed.");
    }
    const now = new Date();
    const code = await makeRecoveryCode(c.env, id, now);
    return c.json({ code, recovery_code: { created_at: now.toISOString() } }, 201);
  })
  .delete("/", confirmedOnly, async (c) => {
    if ((await removeRecoveryCode(c.env, c.var.person.id)) === 0) {
      throw new UserError("not_found", "There is no recovery code.", "It may have been used.");
    }
    return c.json({ recovery_code: null });
  });
