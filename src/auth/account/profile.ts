/** Who the person is here: name, time zone and language. */
import { drizzle } from "drizzle-orm/d1";
import { eq } from "drizzle-orm";
import { Hono } from "hono";
import * as z from "zod";
import { UserError } from "../../errors.ts";
import { changeUser, findUser } from "../../storage/accounts.ts";
import { authUser } from "../../storage/schema.ts";
import { isTimeZone } from "../create-account.ts";
import type { Person } from "../session.ts";
import { deletionAnswer } from "./deletion.ts";
import type { AccountEnv } from "./session-only.ts";
import { shownName, validJson } from "./valid.ts";

const changeSchema = z
  .strictObject({
    name: shownName.optional(),
    time_zone: z.string().max(64).refine(isTimeZone, "is no time zone").optional(),
    locale: z.string().max(35).refine(isLocale, "is no language").optional(),
  })
  .refine((change) => Object.keys(change).length > 0, "says no change");

export const profile = new Hono<AccountEnv>()
  .get("/", async (c) => c.json(await profileAnswer(c.env, c.var.person)))
  .patch(
    "/",
    validJson(changeSchema, 'Send {"time_zone": "Europe/London"}, or name, locale.'),
    async (c) => {
      const { person } = c.var;
      const { name, time_zone: timeZone, locale } = c.req.valid("json");
      if (name !== undefined) await rename(c.env, person, name);
      if (timeZone !== undefined || locale !== undefined) {
        await changeUser(c.env.DB, person.id, {
          ...(timeZone === undefined ? {} : { timeZone }),
          ...(locale === undefined ? {} : { locale }),
        });
      }
      return c.json(await profileAnswer(c.env, { ...person, name: name ?? person.name }));
    },
  );

async function profileAnswer(env: Env, { id, name, sessionId }: Person) {
  const [user, deletion] = await Promise.all([
    findUser(env.DB, id),
    env.USERS.getByName(id).findDeletion(),
  ]);
  if (user === null)
    throw new UserError("not_found", "There is no such account.", "Sign in again.");
  return {
    name,
    /** Not where the server belongs to who is at this computer: there are no passkeys then, nor a name to change. */
    signs_in: sessionId !== null,
    time_zone: user.timeZone,
    locale: user.locale,
    created_at: new Date(user.createdAt).toISOString(),
    /** Null: it stays. */
    deletion: deletion === null ? null : deletionAnswer(deletion),
  };
}

async function rename(env: Env, { id, sessionId }: Person, name: string): Promise<void> {
  if (sessionId === null) {
    throw new UserError(
      "forbidden",
      "There is no sign-in on this server, and so no name.",
      "Change the time zone or the language alone.",
    );
  }
  await drizzle(env.DB)
    .update(authUser)
    .set({ name, updatedAt: new Date() })
    .where(eq(authUser.id, id));
}

function isLocale(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text)[0] === text;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
