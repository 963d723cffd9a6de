/** What a client is told where the person or the server holds it back: it may pass it on, so it says who decided and where that is changed. */
import type { Deletion } from "./account-deletion.ts";
import { retryAfter, UserError } from "./errors.ts";

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

export function accountClosing(publicOrigin: string, { dueAt, isBegun }: Deletion): UserError {
  return new UserError(
    "forbidden",
    `The user is deleting this Cofio account: all of it goes on ${new Date(dueAt).toISOString().slice(0, 10)}.`,
    isBegun
      ? "That has begun, and nothing brings it back."
      : `Until then they can take that back at ${publicOrigin}/security.`,
    { reason: "account_closing" },
  );
}

/** @param ms until one more call is let in */
export function tooFast(ms: number): UserError {
  const wait = retryAfter(ms);
  return new UserError(
    "rate_limited",
    "More calls came in the last minute than this server takes from one app or one person.",
    `Wait ${wait.retry_after_seconds} s, then go on. For many items at once there are import_data and its page.`,
    wait,
  );
}
