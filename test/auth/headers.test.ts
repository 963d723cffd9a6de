/** What every answer says to browsers: each route is asked, of the app, the account's API, the user's own API and the OAuth library. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { app } from "../../src/auth/app.tsx";
import { withSecurityHeaders } from "../../src/auth/security-headers.ts";
import { createApi } from "../../src/http/api.ts";
import { callRaw, fetchWorker, newPerson } from "../support/people.ts";
import {
  authorizePath,
  connect,
  newClient,
  newVisitor,
  ORIGIN,
  signedUp,
  type Visitor,
} from "./support/visitor.ts";

let visitor: Visitor;

beforeAll(async () => {
  env.SIGN_UP = "open";
  ({ visitor } = await signedUp("Mair"));
}, 120_000);

const OAUTH = [
  "GET /.well-known/oauth-protected-resource",
  "GET /.well-known/oauth-protected-resource/mcp",
  "GET /.well-known/oauth-authorization-server",
  "GET /.well-known/oauth-authorization-server/mcp",
  "GET /mcp",
  "POST /mcp",
  "OPTIONS /mcp",
  "POST /oauth/token",
  "OPTIONS /oauth/token",
  "POST /oauth/register",
];

test("every route is asked for a stranger, and none answers without the headers", async () => {
  const routes = [...appRoutes(), ...apiRoutes(), ...OAUTH];
  expect(routes.length).toBeGreaterThan(80);
  for (const route of routes) {
    const [method = "", path = ""] = route.split(" ");
    for (const origin of [ORIGIN, undefined]) {
      expectGuarded(
        route,
        await fetchWorker(path, {
          method,
          redirect: "manual",
          headers: origin === undefined ? {} : { origin },
        }),
      );
    }
  }
});

test("every page and reading route is asked for a person", async () => {
  const routes = [...appRoutes(), ...apiRoutes()].filter((route) => route.startsWith("GET "));
  for (const route of routes) expectGuarded(route, await visitor.get(route.slice(4)));
});

test("so are the answers of tools, of the consent page, of refusals and of what is not there", async () => {
  const { token } = await newPerson();
  expectGuarded("tools", await callRaw(token, "tools/list"));
  expectGuarded("no such tool", await callRaw(token, "tools/call", { name: "nothing" }));
  const consent = authorizePath({ client_id: await newClient() });
  expectGuarded("/authorize", await visitor.get(consent));
  expectGuarded("/authorize", await visitor.post("/authorize", {}));
  expectGuarded("other origin", await visitor.post("/tokens", {}, "http://localhost:9"));
  expectGuarded("other host", await fetchWorker("/", { headers: { host: "evil.example" } }));
  for (const path of ["/nowhere", "/api/nowhere", "/api/account/nowhere", "/api/auth/nowhere"]) {
    expectGuarded(path, await visitor.get(path));
    expectGuarded(path, await newVisitor().get(path));
  }
});

test("a window that a client opened stays the client's, any other is cut off from who opened it", async () => {
  const consent = authorizePath({ client_id: await newClient() });
  for (const path of [consent, "/sign-in", "/sign-up", "/recover"]) {
    const { headers } = await newVisitor().get(path);
    expect([path, headers.get("cross-origin-opener-policy")]).toEqual([path, null]);
  }
  const { headers } = await newVisitor().get("/");
  expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
});

test("a server with an address of its own is asked for by https alone, and loopback is not", async () => {
  const header = "strict-transport-security";
  expect((await newVisitor().get("/")).headers.get(header)).toBeNull();
  const answer = withSecurityHeaders(new Response(), { path: "/", isLoopback: false });
  expect(answer.headers.get(header)).toBe("max-age=31536000");
});

test("no page holds a script or a style of its own", async () => {
  const consent = authorizePath({ client_id: await newClient() });
  const pages = appRoutes().filter((route) => /^GET \/(?!api|healthz)/.test(route));
  for (const path of [...pages.map((route) => route.slice(4)), "/nowhere", consent]) {
    for (const who of [visitor, newVisitor()]) {
      const html = await (await who.get(path)).text();
      expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i);
      for (const [, attributes] of html.matchAll(/<script([^>]*)>/g)) {
        expect(attributes).toContain('src="/assets/');
      }
    }
  }
});

test("every cookie that is set is bound to this host, and hidden from scripts", async () => {
  const { visitor: other } = await signedUp("Another");
  const answers = [
    await other.get("/api/auth/passkey/generate-register-options?name=x"),
    await newVisitor().get("/api/auth/passkey/generate-authenticate-options"),
    await other.get(authorizePath({ client_id: await newClient() })),
    await other.post("/sign-out", {}),
  ];
  await connect(visitor);
  const cookies = answers.flatMap((response) => response.headers.getSetCookie());
  expect(cookies.length).toBeGreaterThan(3);
  for (const cookie of cookies) {
    const isEnding = /max-age=0/i.test(cookie);
    if (!isEnding) expect(cookie).toMatch(/^__Host-/);
    expect(cookie).toMatch(/; Path=\/(?:;|$)/i);
    expect(cookie).not.toMatch(/Domain=/i);
    if (isEnding) continue;
    expect(cookie).toMatch(/; Secure/i);
    expect(cookie).toMatch(/; HttpOnly/i);
    expect(cookie).toMatch(/; SameSite=(?:Lax|Strict)/i);
  }
});

/** Of the pages and of what the Worker answers itself. */
function appRoutes(): string[] {
  return routesOf(app.routes);
}

function apiRoutes(): string[] {
  return routesOf(createApi({ account: {} } as Parameters<typeof createApi>[0]).routes);
}

function routesOf(routes: readonly { readonly method: string; readonly path: string }[]): string[] {
  const named = routes
    .filter(({ method, path }) => method !== "ALL" && !path.includes("*"))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, "aaaaaaaaaaaa")}`);
  return [...new Set(named)];
}

function expectGuarded(route: string, response: Response): void {
  const header = (name: string) => response.headers.get(name);
  const policy = (header("content-security-policy") ?? "").split("; ");
  expect([route, policy]).toEqual([
    route,
    [
      "default-src 'none'",
      "script-src 'self'",
      "worker-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      "font-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "form-action 'self'",
      "require-trusted-types-for 'script'",
      "trusted-types cofio",
    ],
  ]);
  expect([route, header("x-content-type-options"), header("x-frame-options")]).toEqual([
    route,
    "nosniff",
    "DENY",
  ]);
  expect([route, header("referrer-policy")]).toEqual([route, "same-origin"]);
  expect([route, header("cross-origin-resource-policy")]).toEqual([route, "same-origin"]);
  expect(header("permissions-policy")).toContain("camera=()");
  expect([route, header("cache-control")]).toEqual([route, expect.any(String)]);
}
