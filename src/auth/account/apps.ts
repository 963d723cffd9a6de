/** Connected apps and tokens: what each may do, what it did, and holding it back. */
import { Hono } from "hono";
import * as z from "zod";
import { DAYS_OF_CALLS } from "../../allow-list.ts";
import { UserError } from "../../errors.ts";
import { GRANT_STATES, type GrantLine } from "../../grants.ts";
import { SCOPES } from "../../scopes.ts";
import { openOperations, type WriteTally } from "../../storage/operations.ts";
import { addToken, listGrants, revokeGrant } from "../connected-apps.ts";
import { requireConfirmed } from "../confirmed.ts";
import type { AccountEnv } from "./session-only.ts";
import { shownName, validJson } from "./valid.ts";

const DAY_MS = 86_400_000;
/** Arbitrary: what apps wrote is counted among so many operations, the latest. */
const COUNTED_OPERATIONS = 10_000;

const scopes = z.array(z.enum(SCOPES)).min(1);
const changeSchema = z
  .strictObject({
    name: shownName.optional(),
    state: z.enum(GRANT_STATES).optional(),
    trusted: z.boolean().optional(),
    scopes: scopes.optional(),
  })
  .refine((change) => Object.keys(change).length > 0, "says no change");
const tokenSchema = z.strictObject({ name: shownName, scopes, trusted: z.boolean().optional() });

export const apps = new Hono<AccountEnv>()
  .get("/", async (c) => c.json(await listApps(c.env, c.var.person.id)))
  // Alone, because what they did takes thousands of rows to tell.
  .get("/count", async (c) => c.json({ apps: (await listGrants(c.env, c.var.person.id)).length }))
  .patch(
    "/:id",
    validJson(changeSchema, 'Send {"state": "paused"}, or name, trusted, fewer scopes.'),
    async (c) => {
      const id = c.req.param("id");
      const { name: client, ...change } = c.req.valid("json");
      const object = c.env.USERS.getByName(c.var.person.id);
      const grant = await object.findGrant(id);
      if (grant === null) throw noSuchApp();
      refuseMore(grant, change);
      if (change.trusted === true) requireConfirmed(c.var.person);
      const changed = await object.changeGrant(id, { client, ...change });
      if (changed === null) throw noSuchApp();
      return c.json({ app: settingsAnswer(changed) });
    },
  )
  .delete("/:id", async (c) => {
    const id = c.req.param("id");
    if (!(await revokeGrant(c.env, c.env.OAUTH_PROVIDER, c.var.person.id, id))) throw noSuchApp();
    return c.json({ revoked: id });
  });

export const tokens = new Hono<AccountEnv>().post(
  "/",
  validJson(tokenSchema, 'Send {"name": "Backup script", "scopes": ["memories:read"]}.'),
  async (c) => {
    const userId = c.var.person.id;
    const { trusted = false, ...settings } = c.req.valid("json");
    if (trusted) requireConfirmed(c.var.person);
    const { id, token } = await addToken(c.env, userId, { ...settings, trusted });
    const made = await c.env.USERS.getByName(userId).findGrant(id);
    if (made === null) throw noSuchApp();
    return c.json({ token, app: settingsAnswer(made) }, 201);
  },
);

async function listApps(env: Env, userId: string) {
  const [grants, tallies] = await Promise.all([
    listGrants(env, userId),
    openOperations(env.DB, userId).tally(COUNTED_OPERATIONS),
  ]);
  const counted = tallies.reduce((sum, { writes }) => sum + writes, 0);
  return {
    apps: grants.map((grant) => appAnswer(grant, tallies)),
    /** False: earlier operations were left out of what the apps wrote. */
    is_all_counted: counted < COUNTED_OPERATIONS,
  };
}

function appAnswer(grant: GrantLine, tallies: readonly WriteTally[]) {
  const own = tallies.filter(({ grantId }) => grantId === grant.id);
  const first = Math.floor(Date.now() / DAY_MS) - DAYS_OF_CALLS + 1;
  const days = Array.from({ length: DAYS_OF_CALLS }, (_, at) => first + at)
    .map((day) => ({
      day: new Date(day * DAY_MS).toISOString().slice(0, 10),
      calls: grant.calls.find((one) => one.day === day)?.calls ?? 0,
      writes: sumOf(own.filter((one) => one.day === day)),
    }))
    .filter(({ calls, writes }) => calls > 0 || writes > 0);
  const kinds = [...new Set(own.map(({ kind }) => kind))];
  return {
    ...settingsAnswer(grant),
    /** UTC, of the last 30 those on which there was anything, the oldest first. */
    days,
    /** Operations by kind. */
    wrote: Object.fromEntries(
      kinds.map((kind) => [kind, sumOf(own.filter((one) => one.kind === kind))]),
    ),
  };
}

/** Without what it did, for which thousands of operations are read. */
function settingsAnswer(grant: GrantLine) {
  return {
    id: grant.id,
    kind: grant.kind,
    name: grant.client,
    state: grant.state,
    scopes: grant.scopes,
    trusted: grant.trusted,
    /** Of a client that a document describes: who published it. */
    domain: domainOf(grant.clientId),
    /** Where access goes. */
    redirect_host: domainOf(grant.redirectUri),
    created_at: new Date(grant.createdAt).toISOString(),
    last_used_at: grant.usedAt === null ? null : new Date(grant.usedAt).toISOString(),
  };
}

/** @throws UserError invalid_input */
function refuseMore(
  grant: GrantLine,
  change: Pick<z.output<typeof changeSchema>, "scopes" | "trusted">,
): void {
  const more = change.scopes?.filter((scope) => !grant.scopes.includes(scope)) ?? [];
  if (more.length > 0) {
    throw new UserError(
      "invalid_input",
      `It was never allowed ${more.join(", ")}.`,
      "Rights are only taken away here. To give it more, let the app ask again, or make a new token.",
    );
  }
  if (change.trusted === true && grant.kind === "oauth") {
    throw new UserError(
      "invalid_input",
      "Only a token can decide in your place, and no app that signed in.",
      "An assistant would approve its own memories. Make a token for a program that you wrote.",
    );
  }
}

function noSuchApp(): UserError {
  return new UserError("not_found", "There is no such app or token.", "It may have been revoked.");
}

function sumOf(tallies: readonly WriteTally[]): number {
  return tallies.reduce((sum, { writes }) => sum + writes, 0);
}

function domainOf(address: string | null): string | null {
  return address === null ? null : (URL.parse(address)?.host ?? null);
}
