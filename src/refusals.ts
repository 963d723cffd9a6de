/** What a client is told where the person holds it back: it may pass it on, so it says who decided and where that is changed. */
import { UserError } from "./errors.ts";

export function paused(publicOrigin: string): UserError {
  return new UserError(
    "forbidden",
    "The user has paused this app's access to their Cofio.",
    `They let it go on at ${publicOrigin}/apps. Until then it reads and changes nothing.`,
    { reason: "paused" },
  );
}

export function readOnly(publicOrigin: string): UserError {
  return new UserError(
    "forbidden",
    "The user has made this app read-only in their Cofio: it may search and read, and change nothing.",
    `They change that at ${publicOrigin}/apps.`,
    { reason: "read_only" },
  );
}

/** @param dueAt milliseconds UTC */
export function accountClosing(publicOrigin: string, dueAt: number): UserError {
  return new UserError(
    "forbidden",
    `The user is deleting this Cofio account: all of it goes on ${new Date(dueAt).toISOString().slice(0, 10)}.`,
    `Until then they can take that back at ${publicOrigin}/security.`,
    { reason: "account_closing" },
  );
}
