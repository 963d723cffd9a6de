/**
 * Passkeys and sessions, by better-auth. Loaded with `await import()` where a session is asked for: it doubles the
 * Worker's start-up, and `/mcp` never needs it.
 */
import { passkey } from "@better-auth/passkey";
import { APIError, getSessionFromCtx } from "better-auth/api";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { betterAuth } from "better-auth/minimal";
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { logError } from "../log.ts";
import {
  authAccount,
  authPasskey,
  authSession,
  authUser,
  authVerification,
} from "../storage/schema.ts";
import { newId, newUserId } from "../vault/ids.ts";
import { createAccount } from "./create-account.ts";
import { displayName } from "./display-name.ts";
import { recoverySignIn } from "./recovery-sign-in.ts";
import { SESSION_COOKIE } from "./session.ts";
import { addAuthUser, isSetupCodeRight, isSignUpOpen } from "./sign-up.ts";

const origin = env.PUBLIC_ORIGIN;

export const auth = betterAuth({
  appName: "Cofio",
  baseURL: origin,
  basePath: "/api/auth",
  trustedOrigins: [origin],
  secret: env.AUTH_SECRET,
  telemetry: { enabled: false },
  // Its messages may quote a statement with its parameters: only kind and place are kept.
  logger: {
    level: "error",
    log: (_level, _message, ...details) =>
      logError(
        newId(),
        "sign-in",
        details.find((detail) => detail instanceof Error),
      ),
  },
  database: drizzleAdapter(drizzle(env.DB), {
    provider: "sqlite",
    schema: {
      user: authUser,
      session: authSession,
      account: authAccount,
      verification: authVerification,
      passkey: authPasskey,
    },
  }),
  advanced: {
    // Otherwise `__Secure-` is put before the names below.
    useSecureCookies: false,
    cookies: {
      session_token: {
        name: SESSION_COOKIE,
        attributes: { secure: true, sameSite: "lax", path: "/" },
      },
      "better-auth-passkey": {
        name: "__Host-passkey",
        attributes: { secure: true, sameSite: "strict", path: "/" },
      },
    },
    // Otherwise session rows keep addresses.
    ipAddress: { disableIpTracking: true },
  },
  plugins: [
    passkey({
      rpID: new URL(origin).hostname,
      rpName: "Cofio",
      origin,
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      registration: {
        requireSession: false,
        resolveUser: async ({ ctx }) => {
          await refuseIfClosed(ctx.headers);
          const name = displayName(String(ctx.query?.["name"] ?? ""), "Me");
          return { id: newUserId(), name, displayName: name };
        },
        // The plugin verifies without insisting on the person being verified, and creates no user: both are done here.
        afterVerification: async ({ ctx, user, verification }) => {
          if (verification.registrationInfo?.userVerified !== true) throw unverified();
          if ((await ctx.context.internalAdapter.findUserById(user.id)) === null) {
            await signUp(user, ctx.headers);
          } else if ((await getSessionFromCtx(ctx))?.user.id !== user.id) {
            // The ceremony began in a session that was ended since: the plugin asks for one only at the beginning.
            throw signedOut();
          }
          return { userId: user.id };
        },
      },
      authentication: {
        afterVerification: async ({ verification }) => {
          if (!verification.authenticationInfo.userVerified) throw unverified();
        },
      },
    }),
    recoverySignIn,
  ],
});

async function signUp(
  user: { readonly id: string; readonly name: string },
  headers: Headers | undefined,
): Promise<void> {
  if (!(await addAuthUser(env, user, Date.now()))) throw closed();
  await createAccount(env, user.id, {
    timeZone: headers?.get("x-time-zone") ?? "UTC",
    locale: localeOf(headers?.get("accept-language") ?? ""),
  });
}

/** In headers, because addresses end up in logs. */
async function refuseIfClosed(headers: Headers | undefined): Promise<void> {
  if (!(await isSignUpOpen(env))) throw closed();
  if (!isSetupCodeRight(env, headers?.get("x-setup-code") ?? null)) {
    throw new APIError("FORBIDDEN", { message: "The set-up code is wrong" });
  }
}

function closed(): APIError {
  return new APIError("FORBIDDEN", { message: "Sign-up is closed: this server has its owner" });
}

function signedOut(): APIError {
  return new APIError("UNAUTHORIZED", {
    message: "You are signed out. Sign in, then add the passkey",
  });
}

function unverified(): APIError {
  return new APIError("UNAUTHORIZED", { message: "The passkey did not verify you" });
}

/** The first language of an Accept-Language header. */
function localeOf(acceptLanguage: string): string {
  return /^[A-Za-z]{2,8}(?:-[A-Za-z\d]{1,8}){0,3}/.exec(acceptLanguage.trim())?.[0] ?? "en";
}
