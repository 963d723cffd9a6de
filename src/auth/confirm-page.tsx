/** `/confirm`: signing in once more, in whatever way the person has, for what is done only within minutes of that (`confirmed.ts`). */
import { Hono } from "hono";
import type { PageContext, PageEnv } from "./bindings.ts";
import { ProviderButtons } from "./identity/provider-buttons.tsx";
import { Notice } from "./layout.tsx";
import { findPerson, type Person } from "./session.ts";
import { safeNext, withNext } from "./sign-in-page.tsx";
import { isWithoutWays, waysToConfirm } from "./ways-to-confirm.ts";

export const confirmPage = new Hono<PageEnv>().get("/confirm", async (c) => {
  const next = safeNext(c.req.query("next"), c.env.PUBLIC_ORIGIN);
  const person = await findPerson(c);
  if (person === null) return c.redirect(withNext("/sign-in", next), 302);
  return c.html(
    <Notice title="Confirm that it is you" person={person}>
      <p>What you are about to do is done only within minutes of signing in.</p>
      {await confirmForm(c, person, next)}
    </Notice>,
  );
});

/** A form with a button for each way that the person has. */
export async function confirmForm(c: Pick<PageContext, "env">, person: Person, next: string) {
  const ways = await waysToConfirm(c.env, person.id);
  if (isWithoutWays(ways)) {
    return (
      <p>
        You have nothing to confirm with. On the page <a href="/security">Security</a>, add a
        passkey first.
      </p>
    );
  }
  const { hasPasskey, providers } = ways;
  return (
    <form data-passkey="sign-in" data-next={next} method="post">
      <input type="hidden" name="next" value={next} />
      {hasPasskey ? <button class="primary wide">Confirm with a passkey</button> : null}
      <ProviderButtons providers={providers} action="/sign-in" verb="Confirm" />
      <p role="alert" class="alert" hidden></p>
    </form>
  );
}
