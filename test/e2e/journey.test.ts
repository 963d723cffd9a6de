/** The main job on a real server: connect over OAuth, use all twelve tools, import real shapes of exports, export to R2, find everything again after a restart. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectV1, connectV2, openBrowser, type Browser } from "./support/browser.ts";
import { startServer, type Server } from "./support/server.ts";

const TOOLS = [
  "search_memory",
  "save_memory",
  "list_memories",
  "get_memory",
  "delete_memory",
  "update_memory",
  "search_conversations",
  "get_conversation",
  "list_conversations",
  "get_stats",
  "export_data",
  "import_data",
];

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

// Answers are asserted on key by key.
type Answer = Record<string, any>;
type Call = (name: string, args?: Record<string, unknown>) => Promise<Answer>;

/** Both SDKs' clients in one shape. */
function callsOf(client: {
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
}): Call {
  return async (name, args = {}) => {
    const result = (await client.callTool({ name, arguments: args })) as Answer;
    expect(result["isError"], JSON.stringify(result["content"])).not.toBe(true);
    return result["structuredContent"];
  };
}

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

/** Every tool once, on data that belongs to `who` alone. */
async function useAllTools(call: Call, who: string): Promise<void> {
  const saved = await call("save_memory", {
    content: `${who} builds with Next.js 16 and deploys to Vercel.`,
    tags: ["stack"],
  });
  expect(saved["outcome"]).toBe("created");
  const { id } = saved["memory"];
  const found = await call("search_memory", { query: `where does ${who} deploy?` });
  expect(found["results"][0]).toMatchObject({ id, matched: true });
  expect((await call("list_memories", { tags: "stack" }))["total"]).toBeGreaterThan(0);
  const updated = await call("update_memory", {
    id,
    content: `${who} builds with Next.js 16 and deploys to Railway.`,
  });
  expect(updated["memory"]["version"]).toBe(2);
  expect((await call("get_memory", { id, include_history: true }))["versions"]).toHaveLength(1);
  expect((await call("delete_memory", { id }))["memory"]["status"]).toBe("trashed");
  expect((await call("update_memory", { id, status: "active" }))["memory"]["status"]).toBe(
    "active",
  );

  const imported = await call("import_data", { data: chatgptExport(who) });
  expect(imported["items"]).toMatchObject({ new: 3, remaining: 0 });
  expect((await call("import_data", { data: claudeExport(who) }))["items"]).toMatchObject({
    new: 3,
  });
  expect((await call("import_data", { data: chatgptExport(who) }))["items"]).toMatchObject({
    new: 0,
    unchanged: 3,
  });
  const hits = await call("search_conversations", { query: `${who} sardines` });
  const [hit] = hits["results"];
  expect(hit["conversation"]["platform"]).toBe("chatgpt");
  const opened = await call("get_conversation", {
    id: hit["conversation"]["id"],
    around: hit["message"]["id"],
  });
  expect(opened["messages"].map(({ role }: Answer) => role)).toEqual(["user", "assistant"]);
  expect((await call("list_conversations", { platform: "claude" }))["total"]).toBeGreaterThan(0);
  expect((await call("get_stats"))["conversations"]["messages"]).toBeGreaterThanOrEqual(4);
  expect(JSON.parse((await call("export_data", { deliver: "inline" }))["data"])["format"]).toBe(
    "cofio",
  );
}

function chatgptExport(who: string): string {
  const node = (id: string, parent: string, role: string, text: string) => ({
    id,
    parent,
    message: {
      id,
      author: { role },
      create_time: 1_770_000_000,
      content: { content_type: "text", parts: [text] },
    },
  });
  return JSON.stringify([
    {
      id: `chat-of-${who}`,
      title: "Dinner in Alfama",
      create_time: 1_770_000_000,
      update_time: 1_770_000_100,
      current_node: "b",
      mapping: {
        root: { id: "root", parent: null, message: null },
        a: node("a", "root", "user", `Where can ${who} eat?`),
        b: node("b", "a", "assistant", `Grilled sardines for ${who}.`),
      },
    },
  ]);
}

function claudeExport(who: string): string {
  return JSON.stringify([
    {
      uuid: `bread-of-${who}`,
      name: "Bread",
      created_at: "2026-02-01T10:00:00Z",
      updated_at: "2026-02-01T10:05:00Z",
      chat_messages: [
        {
          uuid: "m1",
          sender: "human",
          text: "How long to proof?",
          content: [],
          created_at: "2026-02-01T10:00:00Z",
        },
        {
          uuid: "m2",
          sender: "assistant",
          text: "Until it doubles.",
          content: [],
          created_at: "2026-02-01T10:01:00Z",
        },
      ],
    },
  ]);
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
