import type { MiddlewareHandler } from "hono";
import type { PageEnv } from "../bindings.ts";
import { isFromOwnPage } from "../own-origin.ts";
import { refuse } from "../refuse.ts";
import { findPerson, type Person } from "../session.ts";

export interface AccountEnv extends PageEnv {
  Variables: { readonly person: Person };
}

/** Lets in whoever is signed in, from a page of this server. What stands here is the person's alone: no token reaches it, whatever its scopes. */
export const sessionOnly: MiddlewareHandler<AccountEnv> = async (c, next) => {
  if (c.req.header("authorization") !== undefined) {
    return refuse(c, 403, "Only the person changes their account, signed in: no token does.");
  }
  if (!isFromOwnPage(c)) {
    return refuse(c, 403, "This request did not come from a page of this server.");
  }
  const person = await findPerson(c);
  if (person === null) return refuse(c, 401, "Sign in first.");
  c.set("person", person);
  return next();
};
