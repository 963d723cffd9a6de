import type { getSessionFromCtx } from "better-auth/api";
import { env } from "cloudflare:workers";
import { reportError } from "../log.ts";

type Context = Parameters<typeof getSessionFromCtx>[0];
type SignedIn = NonNullable<Awaited<ReturnType<typeof getSessionFromCtx>>>;

/** Somebody who is signed in confirms that it is them: the session that begins takes the place of theirs, and of what that listens to. */
export async function endSessionBefore(
  { context: { internalAdapter } }: Context,
  { session, user }: SignedIn,
): Promise<void> {
  await internalAdapter.deleteSession(session.token);
  // Its session is gone: what fails here must not keep the new one from them.
  await env.USERS.getByName(user.id)
    .endLive()
    .catch((error: unknown) => reportError("end-session-before", error));
}
