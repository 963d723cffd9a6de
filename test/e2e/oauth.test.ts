import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectV1, connectV2, openBrowser, photograph, type Browser } from "./support/browser.ts";
import { startServer, type Server } from "./support/server.ts";

// One person, one journey: in owner mode a server has one account. Each test leaves the browser signed in.
let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
  await browser.page.goto(server.origin);
  await photograph(browser.page, "welcome");
  await browser.page.goto(`${server.origin}/sign-up`);
  await photograph(browser.page, "sign-up");
  await browser.signUp(server, "Mair");
  await photograph(browser.page, "home-empty");
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

test("an account is made with a passkey, and its time zone is the browser's", async () => {
  const zone = await browser.page.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  await browser.page.goto(`${server.origin}/account`);
  expect(await browser.page.getByLabel("Time zone").inputValue()).toBe(zone);
  await browser.page.getByLabel("Time zone").selectOption("Asia/Tokyo");
  await press("Save");
  expect(await browser.page.getByLabel("Time zone").inputValue()).toBe("Asia/Tokyo");
});

test("a client of the v2 SDK saves and finds after a clicked consent", async () => {
  const { client, auth } = await connectV2(server, browser);
  expect(auth.callback?.searchParams.get("iss")).toBe(server.origin);
  expect((await client.listTools()).tools.map((tool) => tool.name)).toContain("save_memory");
  const saved = await client.callTool({
    name: "save_memory",
    arguments: { content: "The cat is called Gelert." },
  });
  expect(saved.structuredContent).toMatchObject({ outcome: "created" });
  const found = await client.callTool({ name: "search_memory", arguments: { query: "Gelert" } });
  expect(JSON.stringify(found.structuredContent)).toContain("The cat is called Gelert.");
  await client.close();
});

test("a client of the v1 SDK finds what the other one saved", async () => {
  const { client, auth } = await connectV1(server, browser);
  expect(auth.callback?.searchParams.get("iss")).toBe(server.origin);
  expect((await client.listTools()).tools.map((tool) => tool.name)).toContain("search_memory");
  const found = await client.callTool({ name: "search_memory", arguments: { query: "cat" } });
  expect(JSON.stringify(found.structuredContent)).toContain("Gelert");
  const saved = await client.callTool({
    name: "save_memory",
    arguments: { content: "The cat likes tuna." },
  });
  expect(saved.structuredContent).toMatchObject({ outcome: "created" });
  await client.close();
});

test("a client that was allowed less gets 403 for the rest", async () => {
  const { client, auth } = await connectV1(server, browser, { scopes: ["memories:read"] });
  const found = await client.callTool({ name: "search_memory", arguments: { query: "cat" } });
  expect(found.isError).not.toBe(true);
  expect((await auth.tokens())?.scope).not.toContain("memories:write");
  const refused = await callTool((await auth.tokens())?.access_token, "save_memory", {
    content: "no",
  });
  expect(refused.status).toBe(403);
  expect(refused.headers.get("www-authenticate")).toMatch(/insufficient_scope.*memories:write/);
  await client.close();
});

test("denying leaves the client without a token", async () => {
  await expect(connectV2(server, browser, { deny: true, name: "Denied" })).rejects.toThrow(
    /access_denied/,
  );
  expect(await grantNames()).not.toContain("Denied");
});

test("a refresh token gives a new access token", async () => {
  const { auth, client } = await connectV2(server, browser, { name: "Refreshing" });
  await client.close();
  const before = await auth.tokens();
  const client_id = (await auth.clientInformation())?.client_id ?? "";
  const response = await fetch(`${server.origin}/oauth/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: before?.refresh_token ?? "",
      client_id,
    }),
  });
  expect(response.status).toBe(200);
  // The library's answer, as RFC 6749 §5.1 has it.
  const after = (await response.json()) as { access_token: string; refresh_token: string };
  expect(after.access_token).not.toBe(before?.access_token);
  expect((await callTool(after.access_token, "search_memory", { query: "cat" })).status).toBe(200);
});

test("revoking on the page ends a client's access with its next call", async () => {
  const { auth, client } = await connectV2(server, browser, { name: "To be revoked" });
  await client.callTool({ name: "search_memory", arguments: { query: "cat" } });
  await client.close();
  const tokens = await auth.tokens();
  await browser.page.goto(`${server.origin}/account`);
  await photograph(browser.page, "account");
  await press("Revoke To be revoked");
  expect(await grantNames()).not.toContain("To be revoked");
  const call = await callTool(tokens?.access_token, "search_memory", { query: "cat" });
  expect(call.status).toBe(401);
  const refresh = await fetch(`${server.origin}/oauth/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: tokens?.refresh_token ?? "",
      client_id: (await auth.clientInformation())?.client_id ?? "",
    }),
  });
  expect(await refresh.json()).toMatchObject({ error: "invalid_grant" });
});

test("a personal access token is shown once, works with its scopes, and ends when revoked", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/account`);
  await page.getByText("Make a token").click();
  await page.getByRole("textbox", { name: "Name" }).fill("Backup script");
  await page.getByLabel("Save and change memories").uncheck();
  await press("Make token");
  const token = await page.locator(".copy code").innerText();
  await photograph(page, "token");
  expect(token).toMatch(/^cofio_/);
  await page.goto(`${server.origin}/account`);
  expect(await page.content()).not.toContain(token);
  expect((await callTool(token, "search_memory", { query: "cat" })).status).toBe(200);
  expect((await callTool(token, "save_memory", { content: "no" })).status).toBe(403);
  await press("Revoke Backup script");
  expect((await callTool(token, "search_memory", { query: "cat" })).status).toBe(401);
});

test("the consent page shows a hostile name as harmless text", async () => {
  const name = `<script>alert(1)</script>\u202Eedualc\u202C ${"A".repeat(10_000)}`;
  const authorize = await authorizationUrl(name);
  await browser.page.goto(authorize.href);
  await photograph(browser.page, "consent-hostile");
  const heading = await browser.page.getByRole("heading", { level: 1 }).innerText();
  expect(heading).toContain("<script>alert(1)</script>edualc AAA");
  expect(heading.length).toBeLessThan(100);
  await browser.page.goto((await authorizationUrl("Claude Code")).href);
  await photograph(browser.page, "consent");
});

test("every client is asked about, also the second time", async () => {
  const authorize = await authorizationUrl("Asking twice");
  await browser.consent(authorize);
  await browser.page.goto(authorize.href);
  expect(browser.page.url()).toBe(authorize.href);
  expect(await browser.page.getByRole("button", { name: "Allow", exact: true }).count()).toBe(1);
});

test("a signed-out person signs in with the passkey on the way to consent", async () => {
  await browser.signOut(server);
  expect(
    (await browser.page.request.get(`${server.origin}/import`, { maxRedirects: 0 })).status(),
  ).toBe(302);
  const authorize = await authorizationUrl("Asking a stranger");
  await browser.page.goto(authorize.href);
  await photograph(browser.page, "sign-in");
  await browser.page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await browser.page.getByRole("button", { name: "Allow", exact: true }).click();
  await browser.page.waitForURL((url) => url.port === "33418");
  expect(new URL(browser.page.url()).searchParams.get("code")).toBeTruthy();
});

test("a consent page answered in another browser is refused", async () => {
  const authorize = await authorizationUrl("Stolen handle");
  await browser.page.goto(authorize.href);
  const handle = await browser.page.locator("input[name=handle]").inputValue();
  await browser.context.clearCookies({ name: /^__Host-oauth-consent/ });
  const answer = await browser.page.request.post(`${server.origin}/authorize`, {
    headers: { origin: server.origin },
    form: { handle, decision: "approve", scope: "memories:read" },
  });
  expect(answer.status()).toBe(400);
});

test("a second account is refused in owner mode", async () => {
  const other = await openBrowser();
  try {
    const page = await other.page.goto(`${server.origin}/sign-up`);
    expect(page?.status()).toBe(403);
    await photograph(other.page, "sign-up-closed");
    const options = await other.page.request.get(
      `${server.origin}/api/auth/passkey/generate-register-options?name=Second`,
    );
    expect(options.status()).toBe(403);
    await other.page.goto(`${server.origin}/sign-in`);
    expect(await other.page.getByText("Create account").count()).toBe(0);
    await other.page.goto(`${server.origin}/nowhere`);
    await photograph(other.page, "not-found");
  } finally {
    await other.close();
  }
});

test("a device that has a passkey already is told so when another is added", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/account`);
  // The authenticator refuses a second key for an account that it knows, as real ones do.
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByText("This device already has a passkey").waitFor();
});

test("a page on another port of this machine cannot post the forms", async () => {
  const neighbour = await serveForms(server.origin);
  try {
    const { port } = neighbour.address() as AddressInfo; // it listens on TCP
    for (const path of [
      "/tokens",
      "/grants/revoke",
      "/time-zone",
      "/authorize",
      "/sign-out",
      "/api/imports",
    ]) {
      await browser.page.goto(`http://localhost:${port}${path}`);
      const [response] = await Promise.all([
        browser.page.waitForResponse((answer) => answer.url() === server.origin + path),
        browser.page.getByRole("button").click(),
      ]);
      expect([path, response.status()]).toEqual([path, 403]);
    }
    await browser.page.goto(`${server.origin}/account`);
    expect(await browser.page.getByRole("button", { name: "Sign out" }).count()).toBe(1);
  } finally {
    neighbour.close();
  }
});

test("the files of the pages are served as what they are", async () => {
  for (const [path, type] of [
    ["/assets/cofio.css", "text/css"],
    ["/assets/cofio.js", "javascript"],
    ["/assets/controls.css", "text/css"],
    ["/assets/dashboard/main.css", "text/css"],
    ["/assets/dashboard/main.js", "javascript"],
    ["/assets/import/reader.js", "javascript"],
    ["/assets/cofio.svg", "image/svg+xml"],
  ] as const) {
    const response = await fetch(server.origin + path);
    expect([path, response.status]).toEqual([path, 200]);
    expect(response.headers.get("content-type")).toContain(type);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  }
  expect((await fetch(`${server.origin}/assets/nothing.js`)).status).toBe(404);
});

test("the real runtime too fetches nothing for a client id in the private network", async () => {
  // Local workerd does not enforce the flag that would refuse it: the Worker's own guard does, and the library logs why.
  const page = await fetch(
    `${server.origin}/authorize?client_id=${encodeURIComponent("https://127.0.0.1/x.json")}`,
  );
  expect(page.status).toBe(400);
  await expect.poll(() => server.logs()).toContain("Refused: not a public https address");
});

test("no page reports a violation of its content security policy", async () => {
  const violations: string[] = [];
  browser.page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) violations.push(message.text());
  });
  for (const path of ["/", "/account", "/import", "/nowhere"])
    await browser.page.goto(server.origin + path);
  expect(violations).toEqual([]);
});

/** Sends a form and waits for the page that answers it. */
async function press(name: string): Promise<void> {
  const loaded = browser.page.waitForEvent("load");
  await browser.page.getByRole("button", { name }).click();
  await loaded;
}

function callTool(
  token: string | undefined,
  name: string,
  args: Record<string, unknown>,
): Promise<Response> {
  return fetch(server.mcpUrl, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name, arguments: args },
    }),
  });
}

async function grantNames(): Promise<string[]> {
  await browser.page.goto(`${server.origin}/account`);
  return browser.page.locator(".grants strong").allInnerTexts();
}

/** Of a client that has just registered under this name. */
async function authorizationUrl(clientName: string): Promise<URL> {
  const redirect_uri = "http://localhost:33418/callback";
  const response = await fetch(`${server.origin}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: clientName,
      redirect_uris: [redirect_uri],
      token_endpoint_auth_method: "none",
    }),
  });
  const { client_id } = (await response.json()) as { client_id: string }; // RFC 7591 §3.2.1
  const url = new URL(`${server.origin}/authorize`);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id,
    redirect_uri,
    state: crypto.randomUUID(),
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
    resource: server.mcpUrl,
  }).toString();
  return url;
}

/** A neighbour on this machine: each of its pages has a form that posts to the same path of Cofio. */
async function serveForms(target: string): Promise<HttpServer> {
  const neighbour = createServer((request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(
      `<form method="post" action="${target}${request.url}"><input name="name" value="x"><input name="scope" value="memories:read"><button>Go</button></form>`,
    );
  });
  await new Promise<void>((listening) => neighbour.listen(0, "localhost", listening));
  return neighbour;
}
