/** The document of the dashboard, one and the same at each of its addresses: what is in it `apps/dashboard` makes. */
import { Hono } from "hono";
import { html } from "hono/html";
import { findUser } from "../storage/accounts.ts";
import type { PageContext, PageEnv } from "./bindings.ts";
import { DASHBOARD_PATHS } from "./dashboard-paths.ts";
import { ImportForms } from "./import-page.tsx";
import { SharedLook } from "./layout.tsx";
import { findPerson, type Person } from "./session.ts";
import { withNext } from "./sign-in-page.tsx";

/** The one page that also works without a script. */
const IMPORT_PATH = "/import" satisfies (typeof DASHBOARD_PATHS)[number];

export const dashboard = new Hono<PageEnv>();
// Ids are checked by the API, not here.
for (const path of DASHBOARD_PATHS) {
  dashboard.get(path, async (c) => {
    const person = await findPerson(c);
    if (person === null) return c.redirect(withNext("/sign-in", c.req.path), 302);
    return showDashboard(c, person);
  });
}

export async function showDashboard(c: PageContext, person: Person): Promise<Response> {
  const user = await findUser(c.env.DB, person.id);
  const timeZone = user?.timeZone ?? "UTC";
  return c.html(
    html`<!doctype html>${(
        <html lang="en">
          <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="color-scheme" content="light dark" />
            <title>Cofio</title>
            <link rel="icon" href="/assets/cofio.svg" type="image/svg+xml" />
            <SharedLook />
            <link rel="stylesheet" href="/assets/dashboard/main.css" />
            <link rel="modulepreload" href="/assets/dashboard/shared.js" />
            <link rel="modulepreload" href="/assets/dashboard/rolldown-runtime.js" />
            <script type="module" src="/assets/dashboard/main.js"></script>
          </head>
          <body>
            <div
              id="dashboard"
              data-person={person.name}
              data-time-zone={timeZone}
              data-mcp-url={`${c.env.PUBLIC_ORIGIN}/mcp`}
            ></div>
            <noscript>
              <main>{c.req.path === IMPORT_PATH ? <ImportForms /> : <NeedsScript />}</main>
            </noscript>
          </body>
        </html>
      )}`,
  );
}

function NeedsScript() {
  return (
    <section class="card">
      <h1>Cofio</h1>
      <p>
        This page needs JavaScript. Without it there are{" "}
        <a href="/account">your account without JavaScript</a> and <a href="/import">the import</a>.
      </p>
    </section>
  );
}
