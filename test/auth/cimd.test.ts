// Clients known by a metadata document. The internet is the one thing faked: `outbound` stands where the guarded fetch leads.
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, expect, test, vi } from "vitest";
import { guardOutboundFetch } from "../../src/auth/outbound-fetch.ts";
import { fetchWorker } from "../support/people.ts";
import { authorizePath, connect, newVisitor, signedUp, type Visitor } from "./support/visitor.ts";

const CLIENT = "https://client.example/oauth/metadata.json";
const DOCUMENT = {
  client_id: CLIENT,
  client_name: "An app \u202Ewith a document",
  redirect_uris: ["https://client.example/callback"],
  token_endpoint_auth_method: "none",
};

const outbound = vi.fn<(address: string, init?: RequestInit) => Promise<Response>>();
let visitor: Visitor;

beforeAll(async () => {
  env.SIGN_UP = "open";
  ({ visitor } = await signedUp("Mair"));
});

beforeEach(() => {
  outbound.mockReset();
  outbound.mockImplementation(async () => Response.json(DOCUMENT));
});

test("deployments have the platform's guard as well, which this machine does not play", () => {
  expect(Cloudflare.compatibilityFlags).toMatchObject({ global_fetch_strictly_public: true });
});

test("the Worker has its guard up", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  await newVisitor().get(authorizePath({ client_id: "https://127.0.0.1/x.json" }));
  expect(warned.mock.calls.flat()).toContain("Refused: not a public https address");

  // The Worker was loaded before this file, so the same guard is put in front of the fake as well.
  vi.stubGlobal("fetch", (address: string, init?: RequestInit) => outbound(address, init));
  guardOutboundFetch();
});

test("the consent page names the domain of the document, and the rest as a claim", async () => {
  const html = await (await visitor.get(authorizePath({ client_id: CLIENT }))).text();
  expect(html).toContain("published by <strong>client.example</strong>");
  expect(html).toContain("It calls itself “<bdi>An app with a document</bdi>”");
  expect(html).not.toContain("not verified");
  expect(outbound.mock.calls.every(([address]) => address === CLIENT)).toBe(true);
  expect(outbound.mock.calls.every(([, init]) => init?.redirect === "manual")).toBe(true);
});

test("a client with a document goes all the way to its tokens", async () => {
  const { access_token } = await connect(visitor, { clientId: CLIENT });
  expect(access_token).toMatch(/^[a-z2-7]{16}:/);
  expect(await (await visitor.get("/account")).text()).toContain("An app with a document");
});

test("a document that leads elsewhere, is missing, or speaks for another client is refused on a page", async () => {
  const answers = [
    new Response(null, { status: 302, headers: { location: "https://169.254.169.254/" } }),
    new Response("gone", { status: 404 }),
    new Response("not json"),
    Response.json({ ...DOCUMENT, client_id: "https://other.example/x.json" }),
    Response.json({ ...DOCUMENT, client_name: "x".repeat(6_000) }),
  ];
  for (const answer of answers) {
    outbound.mockReset();
    outbound.mockImplementation(async () => answer.clone());
    const page = await visitor.get(authorizePath({ client_id: CLIENT }));
    expect([page.status, page.headers.get("location")]).toEqual([400, null]);
    expect(await page.text()).toContain("could not be verified");
    expect(outbound).toHaveBeenCalledTimes(1);
  }
});

test.each([
  "https://127.0.0.1/x.json",
  "https://0x7f000001/x.json",
  "https://[::1]/x.json",
  "https://169.254.169.254/latest/meta-data",
  "https://localhost/x.json",
  "https://a.localhost/x.json",
  "https://metadata.google.internal/x.json",
  "https://printer.local/x.json",
  "https://router/x.json",
  "https://client.example:8443/x.json",
])("nothing is fetched for a client called %s", async (client_id) => {
  const page = await newVisitor().get(authorizePath({ client_id }));
  expect(page.status).toBe(400);
  const exchange = await fetchWorker("/oauth/token", {
    method: "POST",
    body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: "x", client_id }),
  });
  expect(exchange.status).toBe(401);
  expect(outbound).not.toHaveBeenCalled();
});
