/** `/sign-in` and `/sign-up`. The ceremonies run in `public/assets/passkey.js` against `/api/auth`; buttons of identity providers are forms. */
import { Hono } from "hono";
import type { PageEnv } from "./bindings.ts";
import { DASHBOARD_PATHS } from "./dashboard-paths.ts";
import { Or, ProviderButtons } from "./identity/provider-buttons.tsx";
import { identityProviders } from "./identity/providers.ts";
import { Layout, Notice } from "./layout.tsx";
import { findPerson } from "./session.ts";
import { isSignUpOpen, needsSetupCode } from "./sign-up.ts";

/** Pages that signing in may lead back to. */
const RETURN_PATHS: ReadonlySet<string> = new Set([
  "/",
  "/account",
  "/authorize",
  ...DASHBOARD_PATHS,
]);

export const signInPages = new Hono<PageEnv>()
  .get("/sign-in", async (c) => {
    const next = safeNext(c.req.query("next"), c.env.PUBLIC_ORIGIN);
    if ((await findPerson(c)) !== null) return c.redirect(next, 302);
    const canSignUp = await isSignUpOpen(c.env);
    const providers = identityProviders(c.env);
    return c.html(
      <Layout title="Sign in" person={null}>
        <section class="card narrow">
          <h1>Sign in</h1>
          {next.startsWith("/authorize") ? (
            <p>An app asks for access to your memory. Sign in first, then you decide.</p>
          ) : null}
          <form data-passkey="sign-in" data-next={next}>
            <button class="primary wide">Sign in with a passkey</button>
            <p role="alert" class="alert" hidden></p>
          </form>
          <NeedsScript />
          {providers.length === 0 ? null : (
            <form method="post">
              <Or />
              <input type="hidden" name="next" value={next} />
              <ProviderButtons providers={providers} action="/sign-in" verb="Sign in" />
            </form>
          )}
          <p class="aside">
            Lost your passkey? <a href={withNext("/recover", next)}>Use a recovery code</a>
          </p>
          {canSignUp ? (
            <p class="aside">
              No account here yet? <a href={withNext("/sign-up", next)}>Create account</a>
            </p>
          ) : null}
        </section>
      </Layout>,
    );
  })
  .get("/sign-up", async (c) => {
    const next = safeNext(c.req.query("next"), c.env.PUBLIC_ORIGIN);
    if ((await findPerson(c)) !== null) return c.redirect(next, 302);
    if (!(await isSignUpOpen(c.env))) return c.html(<SignUpClosed next={next} />, 403);
    const providers = identityProviders(c.env);
    return c.html(
      <Layout title="Create account" person={null}>
        <section class="card narrow">
          <h1>Create account</h1>
          <p>
            A passkey is your key: your device keeps it and asks for your fingerprint, face or PIN.
            There is no password and no e-mail address.
          </p>
          <form data-passkey="sign-up" data-next={next}>
            <label>
              Your name
              <input name="name" autocomplete="name" maxlength={60} required />
            </label>
            {needsSetupCode(c.env) ? (
              <label>
                Set-up code
                <input
                  name="setup_code"
                  autocomplete="off"
                  autocapitalize="off"
                  spellcheck={false}
                  required
                />
                <small>
                  Printed when this server was deployed. It proves that the server is yours.
                </small>
              </label>
            ) : null}
            <button class="primary wide">Create account with a passkey</button>
            <p role="alert" class="alert" hidden></p>
            {providers.length === 0 ? null : (
              <>
                <Or />
                <input type="hidden" name="next" value={next} />
                <input type="hidden" name="time_zone" data-time-zone />
                <ProviderButtons providers={providers} action="/sign-up" verb="Create account" />
              </>
            )}
          </form>
          <NeedsScript />
          <p class="aside">
            Have one already? <a href={withNext("/sign-in", next)}>Sign in</a>
          </p>
        </section>
      </Layout>,
    );
  })
  .post("/sign-out", async (c) => {
    const person = await findPerson(c);
    const { auth } = await import("./sign-in.ts");
    const { headers } = await auth.api.signOut({
      headers: c.req.raw.headers,
      returnHeaders: true,
    });
    for (const cookie of headers.getSetCookie()) c.header("Set-Cookie", cookie, { append: true });
    if (person !== null) await c.env.USERS.getByName(person.id).endLive();
    return c.redirect("/", 303);
  });

/** An assistant shows the link of an export, a memory or a conversation to a person who may not be signed in. */
const LINKED_PATH =
  /^(?:\/api\/downloads\/[a-z2-7]{26}|(?:\/api)?\/(?:memories|conversations)\/[a-z2-7]{12})$/;

/** Only to a listed page of this origin: anything else would make sign-in a springboard to a stranger's page. */
export function safeNext(next: string | undefined, origin: string): string {
  const url = URL.parse(next ?? "/", origin);
  if (url === null || url.origin !== origin) return "/";
  if (!RETURN_PATHS.has(url.pathname) && !LINKED_PATH.test(url.pathname)) return "/";
  return url.pathname + url.search;
}

export function withNext(
  path: "/sign-in" | "/sign-up" | "/recover" | "/confirm",
  next: string,
): string {
  return next === "/" ? path : `${path}?next=${encodeURIComponent(next)}`;
}

export function SignUpClosed({ next }: { readonly next: string }) {
  return (
    <Notice title="Sign-up is closed">
      <p>This Cofio belongs to one person, and that person has an account.</p>
      <p class="actions">
        <a class="button" href={withNext("/sign-in", next)}>
          Sign in
        </a>
      </p>
    </Notice>
  );
}

function NeedsScript() {
  return (
    <noscript>
      <p class="alert">Passkeys need JavaScript. Allow it for this page.</p>
    </noscript>
  );
}
