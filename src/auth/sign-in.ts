/**
 * Passkeys and sessions, by better-auth. Loaded with `await import()` where a session is asked for: it doubles the
 * Worker's start-up, and `/mcp` never needs it.
 */
import { passkey } from "@better-auth/passkey";
import { APIError, createAuthMiddleware, getSessionFromCtx } from "better-auth/api";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { betterAuth } from "better-auth/minimal";
import { env } from "cloudflare:workers";
import { and, eq } from "drizzle-orm";
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
import { isConfirmed, NOT_CONFIRMED } from "./confirmed.ts";
import { createAccount, localeOf } from "./create-account.ts";
import { displayName } from "./display-name.ts";
import { endSessionBefore } from "./end-session-before.ts";
import { identitySignIn } from "./identity/identity-sign-in.ts";
import { recoveredBy, recoverySignIn } from "./recovery-sign-in.ts";
import { SESSION_COOKIE } from "./session.ts";
import { addAuthUser, isSetupCodeRight, isSignUpOpen } from "./sign-up.ts";
import { isWithoutWays, waysToConfirm } from "./ways-to-confirm.ts";

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
  hooks: {
    before: createAuthMiddleware(async (ctx) => {
      if (ctx.path !== "/passkey/generate-register-options") return;
      const signedIn = await getSessionFromCtx(ctx);
      if (
        signedIn === null ||
        isConfirmed({ signedInAt: signedIn.session.createdAt }, Date.now())
      ) {
        return;
      }
      // Whoever came by a recovery code may have lost all that is listed: what they confirm with is the passkey that they are about to make.
      const mark = recoveredBy(signedIn.session.id);
      if ((await ctx.context.internalAdapter.findVerificationValue(mark)) !== null) return;
      if (isWithoutWays(await waysToConfirm(env, signedIn.user.id))) return;
      throw new APIError("FORBIDDEN", { message: NOT_CONFIRMED, code: "NOT_CONFIRMED" });
    }),
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
          const { internalAdapter } = ctx.context;
          if ((await internalAdapter.findUserById(user.id)) === null) {
            await signUp(user, ctx.headers);
            return { userId: user.id };
          }
          const signedIn = await getSessionFromCtx(ctx);
          // The ceremony may have begun in a session that was ended since: the plugin asks for one only at the beginning.
          if (signedIn?.user.id !== user.id) throw signedOut();
          await internalAdapter.deleteVerificationByIdentifier(recoveredBy(signedIn.session.id));
          return { userId: user.id };
        },
      },
      authentication: {
        afterVerification: async ({ ctx, verification, clientData }) => {
          if (!verification.authenticationInfo.userVerified) throw unverified();
          const signedIn = await getSessionFromCtx(ctx);
          if (signedIn === null) return;
          if (!(await isPasskeyOf(signedIn.user.id, clientData.id))) throw anothers();
          await endSessionBefore(ctx, signedIn);
        },
      },
    }),
    recoverySignIn,
    identitySignIn,
  ],
});

async function isPasskeyOf(userId: string, credentialId: string): Promise<boolean> {
  const [own] = await drizzle(env.DB)
    .select({ id: authPasskey.id })
    .from(authPasskey)
    .where(and(eq(authPasskey.userId, userId), eq(authPasskey.credentialID, credentialId)))
    .limit(1);
  return own !== undefined;
}

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

function anothers(): APIError {
  return new APIError("FORBIDDEN", {
    message: "This passkey opens another account. Sign out first to go there",
  });
}

function signedOut(): APIError {
  return new APIError("UNAUTHORIZED", {
    message: "You are signed out. Sign in, then add the passkey",
  });
}

function unverified(): APIError {
  return new APIError("UNAUTHORIZED", { message: "The passkey did not verify you" });
}
