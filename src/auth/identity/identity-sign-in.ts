/** Signing in by an identity, as a plugin of better-auth: it makes the session and its cookie as a passkey does. */
import { createAuthEndpoint, getSessionFromCtx } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import * as z from "zod";
import { endSessionBefore } from "../end-session-before.ts";

export const identitySignIn = {
  id: "identity",
  endpoints: {
    // `app.tsx` routes no request here: only the callback calls it, with whom the identity opens.
    signInByIdentity: createAuthEndpoint(
      "/identity/sign-in",
      { method: "POST", body: z.object({ userId: z.string() }) },
      async (ctx) => {
        const { internalAdapter } = ctx.context;
        const user = await internalAdapter.findUserById(ctx.body.userId);
        if (user === null) throw new Error("An identity opens an account that is not there");
        const before = await getSessionFromCtx(ctx);
        if (before !== null) await endSessionBefore(ctx, before);
        const session = await internalAdapter.createSession(user.id);
        await setSessionCookie(ctx, { session, user });
        return ctx.json({ name: user.name });
      },
    ),
  },
} as const;
