import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { authorizePath, newClient, newVisitor, signedUp, type Visitor } from "./support/visitor.ts";

let visitor: Visitor;

beforeAll(async () => {
  env.SIGN_UP = "open";
  ({ visitor } = await signedUp("Mair"));
});

test.each([
  "/",
  "/sign-in",
  "/sign-up",
  "/import",
  "/healthz",
  "/nowhere",
  "/api/nowhere",
  "/api/auth/nowhere",
  "/authorize",
])("%s is never framed, cached, sniffed or allowed inline code", async (path) => {
  for (const who of [visitor, newVisitor()]) expectGuarded(await who.get(path));
});

test("so are the consent page and what it answers", async () => {
  const page = await visitor.get(authorizePath({ client_id: await newClient() }));
  expect(page.status).toBe(200);
  expectGuarded(page);
  expectGuarded(await visitor.post("/authorize", {}));
  expectGuarded(await visitor.post("/authorize", {}, "http://localhost:9"));
  expectGuarded(await visitor.post("/tokens", { name: "x", scope: "memories:read" }));
});

test("no page holds a script or a style of its own", async () => {
  const consent = authorizePath({ client_id: await newClient() });
  for (const path of ["/", "/sign-in", "/sign-up", "/import", "/nowhere", consent]) {
    for (const who of [visitor, newVisitor()]) {
      const html = await (await who.get(path)).text();
      expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i);
      for (const [, attributes] of html.matchAll(/<script([^>]*)>/g)) {
        expect(attributes).toContain('src="/assets/');
      }
    }
  }
});

test("a name is text on every page", async () => {
  const { visitor: other } = await signedUp(`<b>Mair</b>\u202E"`);
  const html = await (await other.get("/")).text();
  expect(html).toContain("&lt;b&gt;Mair&lt;/b&gt;&quot;");
  expect(html).not.toContain("\u202E");
});

test("the page of a person says how to connect", async () => {
  const html = await (await visitor.get("/")).text();
  expect(html).toContain(
    'data-copy="claude mcp add --transport http --scope user cofio http://localhost:26346/mcp"',
  );
});

test("a stranger is led to sign-in from the pages of a person", async () => {
  expect((await newVisitor().get("/import")).headers.get("location")).toBe(
    "/sign-in?next=%2Fimport",
  );
  for (const path of ["/tokens", "/grants/revoke", "/time-zone"]) {
    const response = await newVisitor().post(path, { name: "x", scope: "memories:read" });
    expect([response.status, response.headers.get("location")]).toEqual([303, "/sign-in"]);
  }
});

test("a list of memories is imported by a form that needs no script", async () => {
  const page = await visitor.post("/import", {
    list: "Here is what I know:\r\n- Lives in Bangor\r\n- Prefers tea",
  });
  expect(page.status).toBe(200);
  const text = (await page.text()).replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
  expect(text).toContain("Memories Found 2 New 2 Updated 0 Unchanged 0 Skipped 0");
  const empty = await visitor.post("/import", { list: "Here is what I know:" });
  expect(await empty.text()).toContain("Nothing to import was found.");
});

function expectGuarded(response: Response): void {
  const policy = response.headers.get("content-security-policy") ?? "";
  for (const directive of [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "style-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
  ]) {
    expect(policy.split("; ")).toContain(directive);
  }
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("x-frame-options")).toBe("DENY");
  expect(response.headers.get("referrer-policy")).toBe("same-origin");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("access-control-allow-origin")).toBeNull();
}
