import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { displayName } from "../../src/auth/display-name.ts";
import { callRaw, fetchWorker } from "../support/people.ts";
import {
  authorizePath,
  connect,
  destinationIn,
  exchange,
  handleIn,
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
});

test("nobody signed in is led to sign-in and back", async () => {
  const path = authorizePath({ client_id: await newClient() });
  const response = await newVisitor().get(path);
  expect(response.status).toBe(302);
  expect(response.headers.get("location")).toBe(`/sign-in?next=${encodeURIComponent(path)}`);
});

test("a consent page works once", async () => {
  const page = await visitor.get(authorizePath({ client_id: await newClient() }));
  const form = { handle: handleIn(await page.text()), decision: "approve", scope: "memories:read" };
  const cookies = new Map(visitor.cookies);
  const answer = await visitor.post("/authorize", form);
  expect(answer.status).toBe(200);
  const to = destinationIn(await answer.text());
  expect(to.origin + to.pathname).toBe("https://client.example/callback");
  expect(to.searchParams.get("state")).toBe("the-state");
  expect(to.searchParams.get("iss")).toBe(ORIGIN);
  for (const [name, value] of cookies) visitor.cookies.set(name, value);
  expect((await visitor.post("/authorize", form)).status).toBe(400);
});

test("missing, forged and foreign handles are refused", async () => {
  const page = await visitor.get(authorizePath({ client_id: await newClient() }));
  const handle = handleIn(await page.text());
  const { visitor: other } = await signedUp("Another");
  for (const decision of ["approve", "deny"]) {
    expect((await visitor.post("/authorize", { decision, scope: "memories:read" })).status).toBe(
      400,
    );
    const forged = { handle: "x".repeat(43), decision, scope: "memories:read" };
    expect((await visitor.post("/authorize", forged)).status).toBe(400);
    expect(
      (await other.post("/authorize", { handle, decision, scope: "memories:read" })).status,
    ).toBe(400);
  }
});

test("forms are taken from pages of this server only", async () => {
  for (const path of ["/authorize", "/tokens", "/grants/revoke", "/time-zone", "/sign-out"]) {
    for (const origin of ["http://localhost:9", "https://localhost:26346", null]) {
      expect([path, (await visitor.post(path, {}, origin)).status]).toEqual([path, 403]);
    }
  }
  expect(await (await visitor.get("/account")).text()).toContain("Connect an assistant");
});

test("an answer without a session leads to sign-in and consumes nothing", async () => {
  const page = await visitor.get(authorizePath({ client_id: await newClient() }));
  const form = { handle: handleIn(await page.text()), decision: "approve", scope: "memories:read" };
  const answer = await newVisitor().post("/authorize", form);
  expect([answer.status, answer.headers.get("location")]).toEqual([303, "/sign-in"]);
  expect((await visitor.post("/authorize", form)).status).toBe(200);
});

test("denying tells the client so", async () => {
  const page = await visitor.get(authorizePath({ client_id: await newClient() }));
  const answer = await visitor.post("/authorize", {
    handle: handleIn(await page.text()),
    decision: "deny",
  });
  const to = destinationIn(await answer.text());
  expect(Object.fromEntries(to.searchParams)).toMatchObject({
    error: "access_denied",
    state: "the-state",
    iss: ORIGIN,
  });
});

test("only what the client asked for is offered, and only what stays ticked is given", async () => {
  const page = await visitor.get(
    authorizePath({
      client_id: await newClient(),
      scope: "memories:read memories:write offline_access openid",
    }),
  );
  const html = await page.text();
  expect(
    [...html.matchAll(/name="scope" value="([^"]+)" checked/g)].map((match) => match[1]),
  ).toEqual(["memories:read", "memories:write"]);
  const nothing = await visitor.post("/authorize", { handle: handleIn(html), decision: "approve" });
  expect(nothing.status).toBe(400);
  const { scope, access_token } = await connect(visitor, { scopes: ["memories:read"] });
  expect(scope).toBe("memories:read");
  expect(
    (await callRaw(access_token, "tools/call", { name: "save_memory", arguments: {} })).status,
  ).toBe(403);
});

test("more than what the client asked for cannot be slipped into the form", async () => {
  const client_id = await newClient();
  const page = await visitor.get(authorizePath({ client_id, scope: "memories:read" }));
  const answer = await visitor.post("/authorize", {
    handle: handleIn(await page.text()),
    decision: "approve",
    scope: ["memories:read", "data:export", "admin"],
  });
  const code = destinationIn(await answer.text()).searchParams.get("code") ?? "";
  const tokens = await exchange({ grant_type: "authorization_code", code, client_id });
  expect(await tokens.json()).toMatchObject({ scope: "memories:read" });
});

test("a client's name is text: neither markup nor direction marks nor length do anything", async () => {
  const name = `<img src=x onerror=alert(1)>\u202Etxt\u2066 ${"é".repeat(5_000)}`;
  const page = await visitor.get(
    authorizePath({ client_id: await newClient({ client_name: name }) }),
  );
  const html = await page.text();
  expect(html).not.toContain("<img src=x");
  expect(html).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/);
  expect(html).toContain("&lt;img src=x onerror=alert(1)&gt;txt");
  expect(html).not.toContain("é".repeat(60));
  expect(html).toContain("This name is not verified.");
  expect(html).toContain("<strong>client.example</strong>");
});

test("names are cut and neutralised", () => {
  expect(displayName("  Claude\u200B\u00A0Code\r\n ", "?")).toBe("Claude Code");
  expect(displayName("\u3164\u2800\u{E0041}\u200F", "An app")).not.toMatch(/[\u3164\u200F]/);
  expect(displayName("\u0000\u202E\u2066", "An app")).toBe("An app");
  expect(displayName("\uD800x", "?")).toBe("\uFFFDx");
  expect([...displayName("😀".repeat(500), "?")]).toHaveLength(61);
  expect(displayName(`Z${"\u0335".repeat(50)}`, "?")).toHaveLength(3);
});

test("a loopback address gets its warning, another one does not", async () => {
  const redirect_uri = "http://127.0.0.1:43210/callback";
  const client_id = await newClient({ redirect_uris: ["http://127.0.0.1/callback"] });
  // Any port of a loopback address: programs take a free one each time (RFC 8252 §7.3).
  const page = await visitor.get(authorizePath({ client_id, redirect_uri }));
  expect(await page.text()).toContain("program on this computer");
  const other = await visitor.get(authorizePath({ client_id: await newClient() }));
  expect(await other.text()).not.toContain("program on this computer");
});

test("a revoked grant is refused with the next call, and cannot be refreshed", async () => {
  const { access_token, refresh_token, clientId } = await connect(visitor);
  expect((await callRaw(access_token, "tools/list")).status).toBe(200);
  const html = await (await visitor.get("/account")).text();
  const id = /name="id" value="([^"]+)"/.exec(html)?.[1] ?? "";
  const stored = await env.OAUTH_KV.list({ prefix: "token:" });
  expect((await visitor.post("/grants/revoke", { id })).status).toBe(303);
  expect((await callRaw(access_token, "tools/list")).status).toBe(401);
  const refreshed = await exchange({
    grant_type: "refresh_token",
    refresh_token,
    client_id: clientId,
  });
  expect(await refreshed.json()).toMatchObject({ error: "invalid_grant" });
  expect((await env.OAUTH_KV.list({ prefix: "token:" })).keys.length).toBeLessThan(
    stored.keys.length,
  );
});

test("a revoked grant is refused although the OAuth library still knows its token", async () => {
  const { access_token } = await connect(visitor);
  const [userId = ""] = access_token.split(":");
  const object = env.USERS.getByName(userId);
  const [grant] = await object.listGrants();
  expect(await object.revokeGrant(grant?.id ?? "")).toBe(true);
  const response = await callRaw(access_token, "tools/list");
  expect(response.status).toBe(401);
  expect(response.headers.get("www-authenticate")).toContain(
    `resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/mcp"`,
  );
});

test("nobody revokes another person's grant", async () => {
  const { access_token } = await connect(visitor);
  const html = await (await visitor.get("/account")).text();
  const id = /name="id" value="([^"]+)"/.exec(html)?.[1] ?? "";
  const { visitor: other } = await signedUp("Another");
  expect((await other.post("/grants/revoke", { id })).status).toBe(303);
  expect((await callRaw(access_token, "tools/list")).status).toBe(200);
});

test("a second consent of the same client replaces the first", async () => {
  const { visitor: other } = await signedUp("Another");
  const clientId = await newClient();
  const first = await connect(other, { clientId });
  const second = await connect(other, { clientId, scopes: ["memories:read"] });
  expect((await callRaw(first.access_token, "tools/list")).status).toBe(401);
  expect((await callRaw(second.access_token, "tools/list")).status).toBe(200);
  const html = await (await other.get("/account")).text();
  expect(html.match(/name="id" value=/g)).toHaveLength(1);
});

test("a replayed code ends the grant", async () => {
  const client_id = await newClient();
  const page = await visitor.get(authorizePath({ client_id }));
  const answer = await visitor.post("/authorize", {
    handle: handleIn(await page.text()),
    decision: "approve",
    scope: "memories:read",
  });
  const code = destinationIn(await answer.text()).searchParams.get("code") ?? "";
  const first = await exchange({ grant_type: "authorization_code", code, client_id });
  const { access_token } = (await first.json()) as { access_token: string };
  expect((await exchange({ grant_type: "authorization_code", code, client_id })).status).toBe(400);
  expect((await callRaw(access_token, "tools/list")).status).toBe(401);
});

test("a token of the page is shown once and ends when revoked", async () => {
  const { visitor: other } = await signedUp("Another");
  expect((await other.post("/tokens", { name: "\u202E", scope: "memories:read" })).status).toBe(
    400,
  );
  expect((await other.post("/tokens", { name: "Script", scope: "admin" })).status).toBe(400);
  const page = await other.post("/tokens", { name: "Script", scope: ["memories:read"] });
  const token = /cofio_[a-z2-7]{16}_[a-z2-7]{42}/.exec(await page.text())?.[0] ?? "";
  const html = await (await other.get("/account")).text();
  expect(html).toContain("Script");
  expect(html).not.toContain(token);
  expect((await callRaw(token, "tools/list")).status).toBe(200);
  const id = /name="id" value="([^"]+)"/.exec(html)?.[1] ?? "";
  await other.post("/grants/revoke", { id });
  expect((await callRaw(token, "tools/list")).status).toBe(401);
  expect(
    (await fetchWorker("/api/x", { headers: { authorization: `Bearer ${token}` } })).status,
  ).toBe(401);
});

test("a body that is no form is refused like an empty one", async () => {
  for (const path of ["/authorize", "/tokens", "/time-zone"]) {
    expect([path, (await visitor.postJson(path, { handle: 1 })).status]).toEqual([path, 400]);
  }
});

test("an unknown time zone is refused", async () => {
  expect((await visitor.post("/time-zone", { time_zone: "Mars/Olympus" })).status).toBe(400);
  expect((await visitor.post("/time-zone", { time_zone: "Asia/Tokyo" })).status).toBe(303);
  expect(await (await visitor.get("/account")).text()).toMatch(/value="Asia\/Tokyo" selected/);
});
