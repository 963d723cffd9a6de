// What clients need before and around sign-in.
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeToken } from "../../src/auth/access-tokens.ts";
import { isPublicAddress } from "../../src/auth/outbound-fetch.ts";
import { newUserId } from "../../src/vault/ids.ts";
import { callRaw, fetchWorker, newPerson } from "../support/people.ts";
import { authorizePath, newClient, newVisitor, ORIGIN, register } from "./support/visitor.ts";

const LIST = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} });

// Local refusals are logged; the list of them would drown the report.
beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

test("both forms of the protected resource's document are the same", async () => {
  const root = await fetchWorker("/.well-known/oauth-protected-resource");
  const path = await fetchWorker("/.well-known/oauth-protected-resource/mcp");
  const document = await root.json();
  expect(document).toMatchObject({ resource: `${ORIGIN}/mcp`, authorization_servers: [ORIGIN] });
  expect(await path.json()).toEqual(document);
});

test("both forms of the authorization server's document are the same", async () => {
  const root = await fetchWorker("/.well-known/oauth-authorization-server");
  const path = await fetchWorker("/.well-known/oauth-authorization-server/mcp");
  const document = (await root.json()) as Record<string, unknown>;
  expect(document).toMatchObject({
    issuer: ORIGIN,
    authorization_endpoint: `${ORIGIN}/authorize`,
    token_endpoint: `${ORIGIN}/oauth/token`,
    registration_endpoint: `${ORIGIN}/oauth/register`,
    response_types_supported: ["code"],
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
  });
  expect(document["scopes_supported"]).toContain("offline_access");
  expect(document["scopes_supported"]).toContain("memories:read");
  expect(await path.json()).toEqual(document);
});

test.each([
  ["POST", "/mcp"],
  ["POST", "/mcp/"],
  ["POST", "/"],
  ["GET", "/mcp"],
  ["HEAD", "/mcp"],
  ["DELETE", "/mcp"],
])(
  "%s %s without a token is challenged, and says the right address in words",
  async (method, path) => {
    const response = await fetchWorker(path, {
      method,
      ...(method === "POST" ? { body: LIST } : {}),
    });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain(
      `resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/mcp"`,
    );
    if (method !== "HEAD") expect(await response.text()).toContain(`exactly ${ORIGIN}/mcp`);
  },
);

test("a wrong token is told so", async () => {
  const { token } = await newPerson();
  for (const wrong of [
    "nonsense",
    `${token.slice(0, -1)}${token.endsWith("a") ? "b" : "a"}`,
    `user:${"x".repeat(16)}:${"y".repeat(32)}`,
  ]) {
    const response = await callRaw(wrong, "tools/list");
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect(await response.json()).toMatchObject({
      error: "invalid_token",
      error_description: expect.stringContaining(`Connect to ${ORIGIN}/mcp again`),
    });
  }
});

test.each(["/mcp", "/mcp/", "/", "/mcp?v=2"])("%s serves a valid token", async (path) => {
  const { token } = await newPerson();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  expect((await fetchWorker(path, { method: "POST", headers, body: LIST })).status).toBe(200);
});

test.each([undefined, "*/*", "application/json", "text/event-stream", "text/html"])(
  "an Accept header of %s is enough",
  async (accept) => {
    const { token } = await newPerson();
    const response = await fetchWorker("/mcp", {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "mcp-session-id": "a session of long ago",
        ...(accept === undefined ? {} : { accept }),
      },
      body: LIST,
    });
    expect(response.status).toBe(200);
  },
);

test.each(["/mcp", "/mcp/", "/"])(
  "GET %s with a token is refused with the methods that work",
  async (path) => {
    const { token } = await newPerson();
    const headers = { authorization: `Bearer ${token}`, accept: "text/event-stream" };
    const response = await fetchWorker(path, { headers });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toContain("POST");
  },
);

test.each([
  "javascript:alert(1)",
  "data:text/html,x",
  "vbscript:x",
  "http://client.example/callback",
  "https://client.example/callback#fragment",
  "https://user:password@client.example/callback",
  "cursor://anysphere.cursor-mcp/oauth/callback",
  "not an address",
])("a client cannot register %s to be led back to", async (uri) => {
  expect((await register({ redirect_uris: [uri] })).status).toBe(400);
});

test("clients register the addresses that real ones have", async () => {
  for (const redirect_uris of [
    ["https://claude.ai/api/mcp/auth_callback"],
    ["http://localhost:3334/oauth/callback"],
    ["http://127.0.0.1/callback"],
    [
      "https://www.cursor.com/agents/mcp/oauth/callback",
      "cursor://anysphere.cursor-mcp/oauth/callback",
    ],
  ]) {
    expect((await register({ redirect_uris })).status).toBe(201);
  }
  expect((await register({ redirect_uris: [] })).status).toBe(400);
  expect((await register({ client_name: "x".repeat(40_000) })).status).toBe(400);
});

test.each([
  "https://client.example/callback/more",
  "https://client.example/callback?x=1",
  "https://other.example/callback",
  "https://client.example.evil.example/callback",
  "http://client.example/callback",
  "https://client.example@evil.example/callback",
])("a registered client cannot be led to %s", async (redirect_uri) => {
  const path = authorizePath({ client_id: await newClient(), redirect_uri });
  const response = await newVisitor().get(path);
  expect([response.status, response.headers.get("location")]).toEqual([400, null]);
});

test("an unknown client is shown a page and led nowhere", async () => {
  const response = await newVisitor().get(authorizePath({ client_id: "unknown" }));
  expect([response.status, response.headers.get("location")]).toEqual([400, null]);
});

test.each([
  ["plain", { code_challenge_method: "plain" }],
  ["no method", { code_challenge_method: undefined }],
  ["no challenge", { code_challenge: undefined, code_challenge_method: undefined }],
])("PKCE with %s is refused, for clients with a secret too", async (_, parameters) => {
  for (const token_endpoint_auth_method of ["none", "client_secret_basic"]) {
    const client_id = await newClient({ token_endpoint_auth_method });
    const response = await newVisitor().get(authorizePath({ client_id, ...parameters }));
    const location = new URL(response.headers.get("location") ?? "", ORIGIN);
    expect(location.searchParams.get("error")).toBe("invalid_request");
    expect(location.searchParams.get("state")).toBe("the-state");
  }
});

test("a resource of another server is refused, the address with a query is not", async () => {
  const client_id = await newClient();
  for (const resource of [
    "https://other.example/mcp",
    ORIGIN,
    `${ORIGIN}/mcp/`,
    `${ORIGIN}/mcp/more`,
  ]) {
    const response = await newVisitor().get(authorizePath({ client_id, resource }));
    const location = new URL(response.headers.get("location") ?? "", ORIGIN);
    expect([resource, location.searchParams.get("error")]).toEqual([resource, "invalid_target"]);
  }
  for (const resource of [`${ORIGIN}/mcp`, `${ORIGIN}/mcp?v=2`]) {
    const response = await newVisitor().get(authorizePath({ client_id, resource }));
    expect(response.headers.get("location")).toMatch(/^\/sign-in/);
  }
});

const PRIVATE_ADDRESSES = [
  "https://127.0.0.1/client.json",
  "https://2130706433/client.json",
  "https://0x7f.1/client.json",
  "https://169.254.169.254/latest/meta-data",
  "https://[::1]/client.json",
  "https://[::ffff:10.0.0.1]/client.json",
  "https://localhost/client.json",
  "https://localhost./client.json",
  "https://a.localhost/client.json",
  "https://metadata.google.internal/client.json",
  "https://printer.local/client.json",
  "https://router/client.json",
  "https://client.example:8443/client.json",
  "https://user@client.example/client.json",
  "http://client.example/client.json",
];

test.each(PRIVATE_ADDRESSES)("nothing is fetched from %s", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test("addresses of real clients' documents pass", () => {
  for (const address of [
    "https://claude.ai/oauth/claude-code-client-metadata",
    "https://zed.dev/oauth/client.json",
    "https://xn--bcher-kva.example/client.json",
    "https://client.example:443/client.json",
  ]) {
    expect(isPublicAddress(address)).toBe(true);
  }
});

test("a guessed token wakes no object", async () => {
  const userId = newUserId();
  const stranger = newUserId();
  const { token } = await makeToken("the secret of another deployment, as long as ours", userId);
  const { token: own } = await makeToken(env.AUTH_SECRET, stranger);
  const guesses = [
    token,
    own.replace(stranger, userId),
    `cofio_${userId}_${"a".repeat(42)}`,
    `cofio_../${userId}_x`,
    `${userId}:${"a".repeat(16)}:${"b".repeat(32)}`,
  ];
  const woken = vi.spyOn(env.USERS, "getByName");
  for (const guess of guesses) {
    expect((await callRaw(guess, "tools/list")).status).toBe(401);
    expect(
      (await fetchWorker("/api/x", { headers: { authorization: `Bearer ${guess}` } })).status,
    ).toBe(401);
  }
  expect(woken).not.toHaveBeenCalled();
});

test("a token of this server for a person who does not exist is refused", async () => {
  const userId = newUserId();
  const { token } = await makeToken(env.AUTH_SECRET, userId);
  expect((await callRaw(token, "tools/list")).status).toBe(401);
  await runInDurableObject(env.USERS.getByName(userId), async (object) => {
    expect(await object.listGrants()).toEqual([]);
  });
});

test("another host and another origin are refused before anything else", async () => {
  for (const host of ["evil.example", "127.0.0.1:26346", "localhost.evil.example"]) {
    for (const path of ["/", "/mcp", "/healthz", "/.well-known/oauth-protected-resource"]) {
      expect((await fetchWorker(path, { headers: { host } })).status).toBe(403);
    }
  }
  for (const origin of ["https://evil.example", "null"]) {
    expect(
      (await fetchWorker("/mcp", { method: "POST", headers: { origin }, body: LIST })).status,
    ).toBe(403);
  }
});
