/** Who is at the browser, by the session cookie. */
import type { PageContext } from "./bindings.ts";
import { isLoopback } from "./sign-up.ts";

export interface Person {
  readonly id: string;
  readonly name: string;
  /** Null: there is no sign-in here. */
  readonly sessionId: string | null;
  /** When this session began, with a passkey, an identity or a recovery code. Null as before. */
  readonly signedInAt: Date | null;
}

/** `__Host-`: bound to this host, never readable by scripts or set by a neighbour. */
export const SESSION_COOKIE = "__Host-session";

/** Null: nobody, or a session that ended. Extends a session in use and hands its cookie to the answer. */
export async function findPerson(
  c: Pick<PageContext, "env" | "req" | "header">,
): Promise<Person | null> {
  if (c.env.LOCAL_PERSON !== "" && isLoopback(c.env.PUBLIC_ORIGIN)) {
    return { id: c.env.LOCAL_PERSON, name: "You", sessionId: null, signedInAt: null };
  }
  // Most visitors without a cookie are programs: they shall not pay for loading better-auth.
  if (!(c.req.header("cookie") ?? "").includes(`${SESSION_COOKIE}=`)) return null;
  const { auth } = await import("./sign-in.ts");
  const { response, headers } = await auth.api.getSession({
    headers: c.req.raw.headers,
    returnHeaders: true,
  });
  // Without the cookie's removal: somebody who confirmed a moment ago has another one by now, which this answer would take from them.
  if (response === null) return null;
  for (const cookie of headers.getSetCookie()) c.header("Set-Cookie", cookie, { append: true });
  const { user, session } = response;
  return { id: user.id, name: user.name, sessionId: session.id, signedInAt: session.createdAt };
}
