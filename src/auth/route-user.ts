/** The way from `/api/*` to the user's own object. The user id comes from a verified token or session only, never from the URL. */
import { parseToken } from "./access-tokens.ts";
import type { PageContext } from "./bindings.ts";
import { isFromOwnPage } from "./own-origin.ts";
import { refuse } from "./refuse.ts";
import { findPerson } from "./session.ts";
import { safeNext, withNext } from "./sign-in-page.tsx";

export async function routeUser(c: PageContext): Promise<Response> {
  const bearer = /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  return bearer === undefined ? bySession(c) : byToken(c, bearer);
}

async function byToken(c: PageContext, bearer: string): Promise<Response> {
  const parsed = await parseToken(c.env.AUTH_SECRET, bearer);
  if (parsed === null) {
    return refuse(c, 401, "This token is not one of this server's. Make one on its page.");
  }
  return c.env.USERS.getByName(parsed.userId).serveApi(c.req.raw, {
    kind: "token",
    secretHash: parsed.secretHash,
  });
}

async function bySession(c: PageContext): Promise<Response> {
  if (!isFromOwnPage(c)) {
    return refuse(c, 403, "This request did not come from a page of this server.");
  }
  const person = await findPerson(c);
  if (person === null && (c.req.header("accept") ?? "").includes("text/html")) {
    return c.redirect(withNext("/sign-in", safeNext(c.req.path, c.env.PUBLIC_ORIGIN)), 302);
  }
  if (person === null) {
    return refuse(c, 401, "Sign in, or send a token as `Authorization: Bearer …`.");
  }
  return c.env.USERS.getByName(person.id).serveApi(c.req.raw, null);
}
