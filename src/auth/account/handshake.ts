/** Watching a client connect: from then on its steps are in the live state (`/api/live`). */
import { Hono } from "hono";
import { watch } from "../handshake-watch.ts";
import type { AccountEnv } from "./session-only.ts";

export const handshake = new Hono<AccountEnv>()
  .post("/", async (c) => c.json(await watchFor(c.env, c.var.person.id)))
  /** Forgets what was seen, and goes on watching: for the next client. */
  .delete("/", async (c) => c.json(await watchFor(c.env, c.var.person.id, { isAnew: true })));

async function watchFor(env: Env, userId: string, { isAnew = false } = {}) {
  watch(userId, Date.now(), { isAnew });
  const { watchedUntil, steps } = await env.USERS.getByName(userId).watchHandshake({ isAnew });
  return {
    watched_until: new Date(watchedUntil).toISOString(),
    steps: steps.map(({ at, ...step }) => ({ ...step, at: new Date(at).toISOString() })),
  };
}
