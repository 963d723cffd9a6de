/**
 * Changing `VAULT_KEY`, for whoever runs the deployment (`npm run rotate`): wraps users' keys under the key of now, a bounded part at a
 * time. Those who are there meanwhile move by themselves (`user.ts`); this is for the others, and tells how many are left.
 */
import { Hono } from "hono";
import * as z from "zod";
import { reportError } from "../log.ts";
import { countUsersToRewrap, rewrapUsers, usersToRewrap } from "../storage/accounts.ts";
import { equalInConstantTime } from "../vault/bytes.ts";
import {
  openRotatingKeys,
  operatorProof,
  parseVaultKeys,
  vaultKeyId,
  WrongVaultKey,
} from "../vault/keys.ts";

/** Each is a statement, of which an invocation of the free plan has 50, and some 0.3 ms of work, of which it has 10. */
const USERS_AT_ONCE = 20;

const wantedSchema = z.object({ after: z.string().default("") });

export const rewrapKeys = new Hono<{ Bindings: Env }>().post("/operator/rewrap-keys", async (c) => {
  const vaultKeys = parseVaultKeys(c.env.VAULT_KEY);
  const proof = /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
  // To everybody else, and to any page, there is no such route.
  if (
    c.req.header("origin") !== undefined ||
    !equalInConstantTime(proof, await operatorProof(vaultKeys.current))
  ) {
    return c.notFound();
  }
  const parsed = wantedSchema.safeParse(await c.req.json().catch(() => ({})));
  if (!parsed.success) return c.text('Send {"after": "the next of the answer before"}', 400);
  const id = await vaultKeyId(vaultKeys.current);
  const users = await usersToRewrap(c.env.DB, {
    vaultKeyId: id,
    after: parsed.data.after,
    limit: USERS_AT_ONCE,
  });
  const unreadable: string[] = [];
  const changes = [];
  for (const user of users) {
    try {
      const { rewrapped } = await openRotatingKeys(vaultKeys, user.id, user);
      if (rewrapped !== null) changes.push({ user, rewrapped });
    } catch (error) {
      // It stays as it is: the key that opens it may still be found. A row that is broken holds up nobody behind it either.
      if (!(error instanceof WrongVaultKey)) reportError("rewrap-keys", error);
      unreadable.push(user.id);
    }
  }
  await rewrapUsers(c.env.DB, changes);
  const next = users.length < USERS_AT_ONCE ? null : (users.at(-1)?.id ?? null);
  return c.json({
    /** Those who moved by themselves meanwhile among them. */
    rewrapped: changes.length,
    unreadable,
    /** Null: there is more. It reads every user, of which a day has only so many. */
    left: next === null ? await countUsersToRewrap(c.env.DB, id) : null,
    next,
  });
});
