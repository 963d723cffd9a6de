/** Watching a client connect: from then on its steps are in the live state (`/api/live`). */
import { Hono } from "hono";
import { watch } from "../handshake-watch.ts";
import type { AccountEnv } from "./session-only.ts";

export const handshake = new Hono<AccountEnv>().post("/", async (c) => {
  const { id } = c.var.person;
  watch(id, Date.now());
  const { watchedUntil, steps } = await c.env.USERS.getByName(id).watchHandshake();
  return c.json({
    watched_until: new Date(watchedUntil).toISOString(),
    steps: steps.map(({ at, ...step }) => ({ ...step, at: new Date(at).toISOString() })),
  });
});
