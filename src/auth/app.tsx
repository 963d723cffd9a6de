/** Everything that the OAuth library does not answer itself: pages, sign-in, and the way to a user's own API. */
import { Hono } from "hono";
import { reportError } from "../log.ts";
import { accountApi } from "./account-api.ts";
import { apiDocs } from "./api-docs.tsx";
import type { PageEnv } from "./bindings.ts";
import { confirmPage } from "./confirm-page.tsx";
import { consent } from "./consent.tsx";
import { dashboard } from "./dashboard.tsx";
import { home } from "./home.tsx";
import { identityPages } from "./identity/identity-pages.tsx";
import { importPages } from "./import-page.tsx";
import { Notice } from "./layout.tsx";
import { openLive } from "./live.ts";
import { localToken } from "./local-token.ts";
import { ownOriginOnly } from "./own-origin.ts";
import { rewrapKeys } from "./rewrap-keys.ts";
import { recoveryPages } from "./recovery-page.tsx";
import { routeUser } from "./route-user.ts";
import { signInPages } from "./sign-in-page.tsx";

/** All that the pages use of better-auth; the rest of it does not exist here. */
const SIGN_IN_ROUTES = [
  ["GET", "/api/auth/passkey/generate-register-options"],
  ["POST", "/api/auth/passkey/verify-registration"],
  ["GET", "/api/auth/passkey/generate-authenticate-options"],
  ["POST", "/api/auth/passkey/verify-authentication"],
] as const;

export const app = new Hono<PageEnv>();

app.get("/healthz", (c) => c.json({ ok: true }));
app.route("/", localToken);
app.route("/", rewrapKeys);
for (const [method, path] of SIGN_IN_ROUTES) {
  app.on(method, path, ownOriginOnly, async (c) => {
    const { auth } = await import("./sign-in.ts");
    return auth.handler(c.req.raw);
  });
}
app.all("/api/auth/*", (c) => c.notFound());
app.get("/api/live", openLive);
app.route("/", apiDocs);
app.route("/api/account", accountApi);
app.all("/api/*", routeUser);
app.all("/v1/*", routeUser);
app.use(ownOriginOnly);
app.route("/", signInPages);
app.route("/", recoveryPages);
app.route("/", identityPages);
app.route("/", confirmPage);
app.route("/", consent);
app.route("/", home);
app.route("/", dashboard);
app.route("/", importPages);

app.notFound((c) =>
  isApi(c.req.path)
    ? c.json({ error: { code: "not_found", message: "No such route." } }, 404)
    : c.html(
        <Notice title="Not found">
          <p>There is no page here.</p>
          <p>
            <a href="/">To the start</a>
          </p>
        </Notice>,
        404,
      ),
);

app.onError((error, c) => {
  const message = reportError("page", error);
  if (isApi(c.req.path)) {
    return c.json({ error: { code: "internal", message, hint: "Try again." } }, 500);
  }
  return c.html(
    <Notice title="Something went wrong">
      <p>{message} It was our fault, not yours; if it stays, name this reference.</p>
    </Notice>,
    500,
  );
});

/** Programs read no pages; clients of Anthropic's API find the message in ours too. */
function isApi(path: string): boolean {
  return path.startsWith("/api/") || path.startsWith("/v1/");
}
