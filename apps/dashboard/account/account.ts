/** The account itself: what is connected to it, how its person signs in. Asked as `api` is, `answerOf(account.apps.$get())`. */
import { hc, type InferResponseType } from "hono/client";
import type { AccountApi } from "../../../src/auth/account-api.ts";

export const account = hc<AccountApi>("/api/account", { headers: { accept: "application/json" } });

/** An app or a token. */
export type App = InferResponseType<typeof account.apps.$get>["apps"][number];

/** The first part of the key of every query below. */
const ACCOUNT = "account";

export const KEYS = {
  profile: [ACCOUNT, "profile"],
  apps: [ACCOUNT, "apps"],
  appCount: [ACCOUNT, "apps", "count"],
  passkeys: [ACCOUNT, "passkeys"],
  identities: [ACCOUNT, "identities"],
  recovery: [ACCOUNT, "recovery"],
  sessions: [ACCOUNT, "sessions"],
} as const;

/** What a change of the account answers to `useChange`: it is no operation. */
export function noOperation(): { readonly operation_id: null } {
  return { operation_id: null };
}
