/** The main job on a real server: connect over OAuth, use all twelve tools, import real shapes of exports, export to R2, find everything again after a restart. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { callsOf, TOOLS, useAllTools, type Call } from "./support/all-tools.ts";
import { connectV1, connectV2, openBrowser, type Browser } from "./support/browser.ts";
import { startServer, type Server } from "./support/server.ts";

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
  await browser.signUp(server);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

/** A script with a personal access token and nothing but fetch. */
async function callsWithToken(): Promise<Call> {
  const token = await server.token("script");
  return async (name, args = {}) => {
    const response = await fetch(server.mcpUrl, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name, arguments: args },
      }),
    });
    const data = /^data: (.*)$/m.exec(await response.text())?.[1] ?? "{}";
    return JSON.parse(data).result.structuredContent;
  };
}

test("a client of the v2 SDK, one of the v1 SDK and a script use all twelve tools", async () => {
  const v2 = await connectV2(server, browser);
  expect((await v2.client.listTools()).tools.map(({ name }) => name)).toEqual(TOOLS);
  await useAllTools(callsOf(v2.client), "Ada");
  const v1 = await connectV1(server, browser);
  expect((await v1.client.listTools()).tools.map(({ name }) => name)).toEqual(TOOLS);
  await useAllTools(callsOf(v1.client), "Grace");
  await useAllTools(await callsWithToken(), "Linus");
});

test("what one client saved another one finds in a new connection, also after a restart, and the archive can be downloaded", async () => {
  const first = await connectV2(server, browser, { name: "Claude" });
  const call = callsOf(first.client);
  await call("save_memory", {
    content: "My project uses Next.js 16 with TypeScript and deploys to Vercel.",
    importance: 5,
  });
  let exported = await call("export_data", { deliver: "archive" });
  // A loaded machine may need longer than one call waits.
  while (exported["job"]["state"] === "running" || exported["job"]["state"] === "created") {
    exported = await call("export_data", { job_id: exported["job"]["id"] });
  }
  expect(exported["job"]["state"]).toBe("finished");

  await server.restart();
  const second = await connectV1(server, browser, { name: "Cursor" });
  const found = await callsOf(second.client)("search_memory", { query: "What's my tech stack?" });
  expect(JSON.stringify(found["results"])).toContain("Next.js 16");
  const again = await callsOf(await first.reconnect())("search_memory", {
    query: "vercel typescript",
  });
  expect(again["results"][0]).toMatchObject({ client: "Claude", matched: true });

  const download = await browser.context.request.get(exported["download"]["url"]);
  expect(download.status()).toBe(200);
  const file = await download.body();
  expect(file.length).toBe(exported["download"]["bytes"]);
  expect(JSON.parse(file.toString())["memories"].length).toBeGreaterThan(0);
});
