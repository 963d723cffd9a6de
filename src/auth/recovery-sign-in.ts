/** Signing in with a recovery code, as a plugin of better-auth: it makes the session and its cookie as a passkey does. */
import { APIError, createAuthEndpoint } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import { env } from "cloudflare:workers";
import * as z from "zod";
import { findRecoveryCode, useRecoveryCode } from "./recovery-code.ts";

const body = z.object({ code: z.string().max(200) });

/** Under what stands that a code began this session and no passkey has been added since. */
export function recoveredBy(sessionId: string): string {
  return RECOVERED + sessionId;
}

const RECOVERED = "recovered-";
/** Sessions are prolonged while they are used, and whose code is spent must not lose this before the session. 9999-12-31. */
const WITH_THE_SESSION = new Date(253_402_214_400_000);
/** ?1 user. */
const SQL_FORGET_ENDED = `DELETE FROM auth_verification WHERE value = ?1 AND substr(identifier, 1, ${RECOVERED.length}) = '${RECOVERED}'
  AND NOT EXISTS (SELECT 1 FROM auth_session s WHERE s.id = substr(identifier, ${RECOVERED.length + 1}))`;

export const recoverySignIn = {
  id: "recovery-code",
  endpoints: {
    // `app.tsx` routes no request here: only the page calls it.
    signInByRecoveryCode: createAuthEndpoint(
      "/recovery-code/sign-in",
      { method: "POST", body },
      async (ctx) => {
        const found = await findRecoveryCode(env, ctx.body.code);
        const { internalAdapter } = ctx.context;
        const user = found === null ? null : await internalAdapter.findUserById(found.userId);
        if (found === null || user === null) throw noSuchCode();
        // The code goes last: it may be the only way in, and what fails before must not cost it.
        const session = await internalAdapter.createSession(user.id);
        await internalAdapter.createVerificationValue({
          identifier: recoveredBy(session.id),
          value: user.id,
          expiresAt: WITH_THE_SESSION,
        });
        await env.DB.prepare(SQL_FORGET_ENDED).bind(user.id).run();
        if (!(await useRecoveryCode(env, found))) {
          await internalAdapter.deleteSession(session.token);
          throw noSuchCode();
        }
        await setSessionCookie(ctx, { session, user });
        return ctx.json({ name: user.name });
      },
    ),
  },
} as const;

function noSuchCode(): APIError {
  return new APIError("UNAUTHORIZED", { message: "No such code" });
}
