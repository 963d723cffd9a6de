/** Where the person is signed in, and ending that. */
import { and, desc, eq, gt, ne } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { Hono } from "hono";
import { UserError } from "../../errors.ts";
import { authSession } from "../../storage/schema.ts";
import { browserName } from "../browser-name.ts";
import { confirmedOnly } from "../confirmed.ts";
import type { AccountEnv } from "./session-only.ts";

/** Arbitrary. Expired ones stay until their cookie comes again. */
const SHOWN = 100;

export const sessions = new Hono<AccountEnv>()
  .get("/", async (c) => {
    const { id, sessionId } = c.var.person;
    const rows = await drizzle(c.env.DB)
      .select()
      .from(authSession)
      .where(and(eq(authSession.userId, id), gt(authSession.expiresAt, new Date())))
      .orderBy(desc(authSession.updatedAt), authSession.id)
      .limit(SHOWN);
    return c.json({
      sessions: rows.map((row) => ({
        id: row.id,
        is_this: row.id === sessionId,
        client: browserName(row.userAgent ?? ""),
        created_at: row.createdAt.toISOString(),
        /** To the day: it is written once a day. */
        last_used_at: row.updatedAt.toISOString(),
        expires_at: row.expiresAt.toISOString(),
      })),
    });
  })
  /** All but this one. */
  .delete("/", confirmedOnly, async (c) => {
    const { id, sessionId } = c.var.person;
    const ended = await end(c.env, id, ne(authSession.id, sessionId ?? ""));
    return c.json({ ended });
  })
  .delete("/:id", confirmedOnly, async (c) => {
    const ended = await end(c.env, c.var.person.id, eq(authSession.id, c.req.param("id")));
    if (ended === 0) {
      throw new UserError("not_found", "There is no such session.", "It may have ended.");
    }
    return c.json({ ended });
  });

/** @returns how many */
async function end(env: Env, userId: string, which: ReturnType<typeof eq>): Promise<number> {
  const ended = await drizzle(env.DB)
    .delete(authSession)
    .where(and(eq(authSession.userId, userId), which))
    .returning({ id: authSession.id });
  // Sockets were opened by sessions, and nobody knows by which: the pages of those that are left open theirs again.
  if (ended.length > 0) await env.USERS.getByName(userId).endLive();
  return ended.length;
}
