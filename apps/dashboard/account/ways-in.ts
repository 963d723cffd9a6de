/** How the person gets into their account, as queries: several pieces of the page say what depends on both. */
import { queryOptions } from "@tanstack/react-query";
import { answerOf } from "../api.ts";
import { account, KEYS } from "./account.ts";

export const passkeysQuery = queryOptions({
  queryKey: KEYS.passkeys,
  queryFn: () => answerOf(account.passkeys.$get()),
});

/** Accounts elsewhere, by an identity provider. */
export const identitiesQuery = queryOptions({
  queryKey: KEYS.identities,
  queryFn: () => answerOf(account.identities.$get()),
});
