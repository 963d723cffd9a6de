/** `/recover`: signing in without a passkey, and making another one at once. */
import { Hono } from "hono";
import type { PageEnv } from "./bindings.ts";
import { readForm } from "./form.ts";
import { BackHome, Layout, Notice } from "./layout.tsx";
import { safeNext, withNext } from "./sign-in-page.tsx";

export const recoveryPages = new Hono<PageEnv>()
  .get("/recover", (c) => {
    const next = safeNext(c.req.query("next"), c.env.PUBLIC_ORIGIN);
    return c.html(<RecoverPage isWrong={false} next={next} />);
  })
  .post("/recover", async (c) => {
    const form = await readForm(c.req.raw);
    const code = form.value("code");
    const next = safeNext(form.value("next"), c.env.PUBLIC_ORIGIN);
    const [{ auth }, { APIError }] = await Promise.all([
      import("./sign-in.ts"),
      import("better-auth/api"),
    ]);
    const signedIn = await auth.api
      .signInByRecoveryCode({
        body: { code: code.slice(0, MAX_CODE) },
        headers: c.req.raw.headers,
        returnHeaders: true,
      })
      .catch((error: unknown) => {
        if (error instanceof APIError && error.status === "UNAUTHORIZED") return null;
        throw error;
      });
    if (signedIn === null) return c.html(<RecoverPage isWrong next={next} />, 401);
    for (const cookie of signedIn.headers.getSetCookie()) {
      c.header("Set-Cookie", cookie, { append: true });
    }
    return c.html(
      <Notice title="You are signed in">
        <p>
          The code is used up. Add a passkey on this device now: without one, and without another
          code, there would be no way back in.
        </p>
        <form data-passkey="add" data-next={next} data-name={signedIn.response.name}>
          <button class="primary wide">Add a passkey</button>
          <p role="alert" class="alert" hidden></p>
        </form>
        <BackHome />
      </Notice>,
    );
  });

/** Arbitrary: many times what a code is with all its dashes. */
const MAX_CODE = 200;

function RecoverPage({ isWrong, next }: { readonly isWrong: boolean; readonly next: string }) {
  return (
    <Layout title="Use a recovery code" person={null}>
      <section class="card narrow">
        <h1>Use a recovery code</h1>
        <p>The code that you made and kept while you were signed in. It works once.</p>
        <form method="post" action="/recover">
          <input type="hidden" name="next" value={next} />
          <label>
            Recovery code
            <input
              name="code"
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              aria-invalid={isWrong}
              aria-describedby={isWrong ? "wrong" : undefined}
              required
            />
          </label>
          {isWrong ? (
            <p role="alert" class="alert" id="wrong">
              This is no code of this server, or it was used already.
            </p>
          ) : null}
          <button class="primary wide">Sign in</button>
        </form>
        <p class="aside">
          <a href={withNext("/sign-in", next)}>Sign in with a passkey</a>
        </p>
      </section>
    </Layout>
  );
}
