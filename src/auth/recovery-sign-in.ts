/** Signing in with a recovery code, as a plugin of better-auth: it makes the session and its cookie as a passkey does. */
import { APIError, createAuthEndpoint } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import { env } from "cloudflare:workers";
import * as z from "zod";
import { useRecoveryCode } from "./recovery-code.ts";

const body = z.object({ code: z.string().max(200) });

export const recoverySignIn = {
  id: "recovery-code",
  endpoints: {
    // `app.tsx` routes no request here: only the page calls it.
    signInByRecoveryCode: createAuthEndpoint(
      "/recovery-code/sign-in",
      { method: "POST", body },
      async (ctx) => {
        const userId = await useRecoveryCode(env, ctx.body.code);
        const { internalAdapter } = ctx.context;
        const user = userId === null ? null : await internalAdapter.findUserById(userId);
        if (user === null) throw new APIError("UNAUTHORIZED", { message: "No such code" });
        const session = await internalAdapter.createSession(user.id);
        await setSessionCookie(ctx, { session, user });
        return ctx.json({ name: user.name });
      },
    ),
  },
} as const;
