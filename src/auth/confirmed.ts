/**
 * Whether the person was here lately: what takes an account over, or ends it, is done only within minutes of a sign-in, so that a
 * session alone, of a browser left alone or stolen, is not enough. To confirm it is to sign in once more: by a passkey, or by a provider,
 * which is worth as much as what that asks for. A token that decides nothing in the person's place is made without, and so is consent.
 */
import type { MiddlewareHandler } from "hono";
import { UserError } from "../errors.ts";
import type { AccountEnv } from "./account/session-only.ts";
import type { Person } from "./session.ts";

/** OWASP's session cheat sheet asks for it and names no time: long enough for a few such steps in a row. Arbitrary. */
const CONFIRMED_MS = 600_000;

export const NOT_CONFIRMED = "Confirm that it is you first.";

/** @param signedInAt null: there is no sign-in here */
export function isConfirmed({ signedInAt }: Pick<Person, "signedInAt">, now: number): boolean {
  return signedInAt === null || now - signedInAt.getTime() < CONFIRMED_MS;
}

/** @throws UserError forbidden */
export function requireConfirmed(person: Person): void {
  if (isConfirmed(person, Date.now())) return;
  throw new UserError("forbidden", NOT_CONFIRMED, "Sign in again, then repeat this.", {
    reason: "not_confirmed",
  });
}

export const confirmedOnly: MiddlewareHandler<AccountEnv> = async (c, next) => {
  requireConfirmed(c.var.person);
  return next();
};
