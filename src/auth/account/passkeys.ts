/** The person's passkeys. They are added by better-auth's own ceremony (`/api/auth/passkey`), with the session. */
import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { Hono } from "hono";
import * as z from "zod";
import { UserError } from "../../errors.ts";
import { authPasskey } from "../../storage/schema.ts";
import { confirmedOnly } from "../confirmed.ts";
import { issuersJson } from "../identity/providers.ts";
import { SQL_ANOTHER_WAY_IN } from "../sign-up.ts";
import type { AccountEnv } from "./session-only.ts";
import { shownName, validJson } from "./valid.ts";

const nameSchema = z.strictObject({ name: shownName });

/** Arbitrary: more than anybody has. */
const SHOWN = 100;
/** ?1 user, ?2 passkey, ?3 issuers as JSON. */
const SQL_REMOVE = `DELETE FROM auth_passkey WHERE user_id = ?1 AND id = ?2 AND ${SQL_ANOTHER_WAY_IN}`;

export const passkeys = new Hono<AccountEnv>()
  .get("/", async (c) => c.json({ passkeys: await listPasskeys(c.env, c.var.person.id) }))
  .patch("/:id", validJson(nameSchema, 'Send {"name": "Phone"}.'), async (c) => {
    const id = c.req.param("id");
    await drizzle(c.env.DB)
      .update(authPasskey)
      .set(c.req.valid("json"))
      .where(and(eq(authPasskey.userId, c.var.person.id), eq(authPasskey.id, id)));
    return c.json({ passkey: await findPasskey(c.env, c.var.person.id, id) });
  })
  .delete("/:id", confirmedOnly, async (c) => {
    const { id: userId } = c.var.person;
    const id = c.req.param("id");
    await findPasskey(c.env, userId, id);
    const { meta } = await c.env.DB.prepare(SQL_REMOVE).bind(userId, id, issuersJson(c.env)).run();
    if (meta.changes === 0) {
      throw new UserError(
        "forbidden",
        "This is the last way into your account.",
        "Add another passkey first, on another device if you can.",
      );
    }
    return c.json({ removed: id });
  });

async function listPasskeys(env: Env, userId: string) {
  const rows = await drizzle(env.DB)
    .select()
    .from(authPasskey)
    .where(eq(authPasskey.userId, userId))
    .orderBy(authPasskey.createdAt, authPasskey.id)
    .limit(SHOWN);
  return rows.map(passkeyAnswer);
}

/** @throws UserError not_found */
async function findPasskey(env: Env, userId: string, id: string) {
  const [row] = await drizzle(env.DB)
    .select()
    .from(authPasskey)
    .where(and(eq(authPasskey.userId, userId), eq(authPasskey.id, id)));
  if (row === undefined) {
    throw new UserError("not_found", "There is no such passkey.", "It may have been removed.");
  }
  return passkeyAnswer(row);
}

function passkeyAnswer({ id, name, createdAt, backedUp }: typeof authPasskey.$inferSelect) {
  return {
    id,
    /** Null: it was given none. */
    name,
    created_at: createdAt?.toISOString() ?? null,
    /** Whether a password manager keeps it on several devices. */
    is_synced: backedUp,
  };
}
