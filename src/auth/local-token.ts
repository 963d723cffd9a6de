/** The headless way in of a local server: `npm run token`, and the program `cofio`. Absent from every deployment. */
import { Hono } from "hono";
import * as z from "zod";
import { SCOPES } from "../scopes.ts";
import { base32, utf8 } from "../vault/bytes.ts";
import { newId } from "../vault/ids.ts";
import { makeToken } from "./access-tokens.ts";
import { createAccount } from "./create-account.ts";
import { isLoopback } from "./sign-up.ts";

const body = z.object({
  user: z.string().min(1).max(64),
  scopes: z.array(z.enum(SCOPES)).default([...SCOPES]),
  timeZone: z.string().default("UTC"),
  trusted: z.boolean().default(false),
  client: z.string().min(1).max(64).default("Local token"),
});

export const localToken = new Hono<{ Bindings: Env }>().post("/local/token", async (c) => {
  const isLocal = c.env.LOCAL_TOKENS === "1" && isLoopback(c.env.PUBLIC_ORIGIN);
  // A browser page may not ask, whatever its origin: only programs on this machine send no Origin.
  if (!isLocal || c.req.header("origin") !== undefined) return c.notFound();
  const parsed = body.safeParse(await c.req.json().catch(() => null));
  if (!parsed.success) return c.text('Send {"user": "name"}', 400);
  const { user, scopes, timeZone, trusted, client } = parsed.data;

  const userId = await localUserId(user);
  await createAccount(c.env, userId, { timeZone, locale: "en" });
  const { token, secretHash } = await makeToken(c.env.AUTH_SECRET, userId);
  await c.env.USERS.getByName(userId).allowToken({
    id: newId(),
    kind: "program",
    client,
    secretHash,
    scopes,
    trusted,
  });
  return c.json({ token, user: userId });
});

/** The same name is the same user every time. */
export async function localUserId(name: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", utf8(`local-user\0${name}`));
  return base32(new Uint8Array(digest)).slice(0, 16);
}
