/** What every page shares. No script and no style stands inside a page: the content security policy allows neither. */
import { html } from "hono/html";
import type { Child } from "hono/jsx";
import type { Person } from "./session.ts";

export function Layout({
  title,
  person,
  children,
}: {
  readonly title: string;
  readonly person: Person | null;
  readonly children?: Child;
}) {
  return html`<!doctype html>${(
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>{title === "Cofio" ? title : `${title} · Cofio`}</title>
          <link rel="icon" href="/assets/cofio.svg" type="image/svg+xml" />
          <SharedLook />
          <link rel="stylesheet" href="/assets/cofio.css" />
          <script type="module" src="/assets/cofio.js"></script>
        </head>
        <body>
          <header class="bar">
            <a class="brand" href="/">
              <img src="/assets/cofio.svg" alt="" width="28" height="28" />
              Cofio
            </a>
            {person === null ? null : (
              <form method="post" action="/sign-out" class="who">
                <span class="name">
                  <bdi>{person.name}</bdi>
                </span>
                <button class="quiet">Sign out</button>
              </form>
            )}
          </header>
          <main>{children}</main>
        </body>
      </html>
    )}`;
}

/** What the pages of the server and the dashboard look alike by. */
export function SharedLook() {
  return (
    <>
      <script src="/assets/mode.js"></script>
      <link rel="stylesheet" href="/assets/tokens.css" />
      <link rel="stylesheet" href="/assets/controls.css" />
    </>
  );
}

/** A page with one message: an error, or a refusal. */
export function Notice({
  title,
  person = null,
  children,
}: {
  readonly title: string;
  readonly person?: Person | null;
  readonly children?: Child;
}) {
  return (
    <Layout title={title} person={person}>
      <section class="card narrow">
        <h1>{title}</h1>
        {children}
      </section>
    </Layout>
  );
}

/**
 * Leaves for an address elsewhere, by refreshing. A redirect would be the answer to a form, and browsers hold the whole chain of it to
 * `form-action`, which could then only be given up.
 */
export function LeavePage({
  to,
  title,
  children,
}: {
  readonly to: string;
  readonly title: string;
  readonly children?: Child;
}) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta http-equiv="refresh" content={`0;url=${to}`} />
        <title>{`${title} · Cofio`}</title>
        <SharedLook />
        <link rel="stylesheet" href="/assets/cofio.css" />
      </head>
      <body>
        <main>
          <section class="card narrow">
            <h1>{title}</h1>
            {children}
            <p>
              <a href={to}>Continue if nothing happens</a>
            </p>
          </section>
        </main>
      </body>
    </html>
  );
}

export function BackHome() {
  return (
    <p class="aside">
      <a href="/">Back to your page</a>
    </p>
  );
}

/** A line to be copied. The button appears where the script runs. */
export function CopyLine({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div class="copy">
      <code>
        {text.split(" ").map((word, index) => (
          <>
            {index === 0 ? "" : " "}
            <span>{word}</span>
          </>
        ))}
      </code>
      <button type="button" data-copy={text} aria-label={`Copy ${label}`} hidden>
        Copy
      </button>
    </div>
  );
}
