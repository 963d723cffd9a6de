/**
 * What a person decides about their account, from the pages of this server alone: connected apps, ways of signing in, and the account
 * itself. It runs in the Worker, because grants, sessions and passkeys belong to that; what is remembered is served by `http/api.ts`.
 */
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { UserError } from "../errors.ts";
import { errorResponse } from "../http/error-response.ts";
import { apps, tokens } from "./account/apps.ts";
import { deletion } from "./account/deletion.ts";
import { handshake } from "./account/handshake.ts";
import { identities } from "./account/identities.ts";
import { passkeys } from "./account/passkeys.ts";
import { profile } from "./account/profile.ts";
import { recovery } from "./account/recovery.ts";
import { sessionOnly, type AccountEnv } from "./account/session-only.ts";
import { sessions } from "./account/sessions.ts";

export const accountApi = new Hono<AccountEnv>()
  .use(sessionOnly)
  .route("/", profile)
  .route("/apps", apps)
  .route("/deletion", deletion)
  .route("/handshake", handshake)
  .route("/identities", identities)
  .route("/passkeys", passkeys)
  .route("/recovery-code", recovery)
  .route("/sessions", sessions)
  .route("/tokens", tokens);

accountApi.onError((error, c) => errorResponse(isNoJson(error) ? noJson() : error, c));

/** For `hc<AccountApi>("/api/account")`. */
export type AccountApi = typeof accountApi;

/** Hono's validator throws it before ours sees the body. */
function isNoJson(error: Error): boolean {
  return error instanceof HTTPException && error.status === 400;
}

function noJson(): UserError {
  return new UserError("invalid_input", "The body is not JSON.", "Send a JSON object.");
}
