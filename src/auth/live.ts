/** The way to `/api/live`: a WebSocket on which a person's pages hear what happens in their account. */
import type { PageContext } from "./bindings.ts";
import { refuse } from "./refuse.ts";
import { findPerson } from "./session.ts";

/** For sessions alone: a program with a token asks `/api/imports/:id` instead. */
export async function openLive(c: PageContext): Promise<Response> {
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket") return c.notFound();
  // A browser lets any page open a WebSocket anywhere, with the cookies of the person, and always says which page it was.
  if (c.req.header("origin") !== c.env.PUBLIC_ORIGIN) {
    return refuse(c, 403, "This request did not come from a page of this server.");
  }
  const person = await findPerson(c);
  if (person === null) return refuse(c, 401, "Sign in first.");
  // A request of our own: address and headers of the other one would choose ids, transports and objects within the library.
  const upgrade = new Request(`${c.env.PUBLIC_ORIGIN}/api/live`, {
    headers: { upgrade: "websocket" },
  });
  return c.env.USERS.getByName(person.id).fetch(upgrade);
}
