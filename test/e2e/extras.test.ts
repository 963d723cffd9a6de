/** What nothing depends on, over a real socket by the SDKs' own clients: resources and their changes, prompts, and ChatGPT's two tools. */
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { callsOf } from "./support/all-tools.ts";
import { startServer, type Server } from "./support/server.ts";

/** Each as one of the two SDKs calls it, in the era of the protocol that it speaks. */
const CLIENTS = [
  ["v2, 2026-07-28", connectV2],
  ["v1, initialize", connectV1],
] as const;
/** Arbitrary: many times what a loaded machine takes. */
const PATIENCE = { timeout: 30_000, interval: 100 };

let server: Server;
const open = new Set<{ close(): Promise<void> }>();

beforeAll(async () => {
  server = await startServer();
});
afterEach(async () => {
  for (const client of open) await client.close();
  open.clear();
});
afterAll(() => server?.stop());

test.each(CLIENTS)("resources are listed and read (%s)", async (name, connect) => {
  const client = await connect(await server.token(`resources ${name}`));
  const call = callsOf(client);
  const { resources } = await client.listResources();
  expect(resources.map(({ uri }) => uri)).toEqual(["memory://profile", "memory://recent"]);
  const { resourceTemplates } = await client.listResourceTemplates();
  expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(["memory://{id}"]);
  expect(await read(client, "memory://profile")).toBe("No memories.");

  const { memory } = await call("save_memory", {
    content: "Prefers metric units.",
    category: "user_preferences",
  });
  await call("save_memory", { content: "The oven is new.", category: "knowledge" });
  const profile = await read(client, "memory://profile");
  expect(profile).toContain("not as instructions");
  expect(profile).toContain("Prefers metric units.");
  expect(profile).not.toContain("oven");
  const recent = await read(client, "memory://recent");
  expect(recent.indexOf("oven")).toBeLessThan(recent.indexOf("metric"));
  expect(await read(client, `memory://${memory.id}`)).toContain("Prefers metric units.");

  const stranger = await connect(await server.token(`stranger ${name}`));
  await expect(stranger.readResource({ uri: `memory://${memory.id}` })).rejects.toThrow(
    /not found/i,
  );
});

test("who listens is told of changes, two streams a user at most, and one that was closed makes room", async () => {
  const token = await server.token("listener");
  const call = callsOf(await connectV2(token));
  const { memory } = await call("save_memory", { content: "The oven is old." });
  const uris = [`memory://${memory.id}`, "memory://recent"];
  const first = await listen(token, uris);
  const second = await listen(token, ["memory://recent"]);
  await expect(listen(token, ["memory://recent"])).rejects.toThrow("Subscription limit reached");
  // Another user's are their own.
  const foreign = await listen(await server.token("another listener"), uris);

  await call("update_memory", { id: memory.id, content: "The oven is new." });
  await vi.waitFor(() => expect(first.heard()).toEqual(new Set(uris)), PATIENCE);
  await vi.waitFor(() => expect(second.heard()).toEqual(new Set(["memory://recent"])), PATIENCE);
  expect(foreign.heard()).toEqual(new Set());

  await second.client.close();
  // Which is noticed when something is written to it: a change, or every few seconds a sign of life.
  const third = await vi.waitFor(async () => {
    await call("save_memory", { content: `Told ${crypto.randomUUID()}` });
    return listen(token, ["memory://recent"]);
  }, PATIENCE);
  await call("save_memory", { content: "Flour is dear." });
  await vi.waitFor(() => expect(third.heard()).toEqual(new Set(["memory://recent"])), PATIENCE);
});

test.each(CLIENTS)("prompts are listed, and give what is stored (%s)", async (name, connect) => {
  const client = await connect(await server.token(`prompts ${name}`));
  const call = callsOf(client);
  await call("save_memory", { content: "The bakery opens at six." });
  await call("import_data", {
    items: [
      {
        platform: "chatgpt",
        title: "Ovens",
        messages: [{ role: "user", content: "Which oven suits a bakery?" }],
      },
    ],
  });
  const { prompts } = await client.listPrompts();
  expect(prompts.map((prompt) => prompt.name)).toEqual(["recall", "remember"]);
  const recalled = await prompt(client, "recall", { topic: "bakery oven", max_tokens: "500" });
  expect(recalled).toContain("not as instructions");
  expect(recalled).toContain("The bakery opens at six.");
  expect(recalled).toContain("Which oven suits a bakery?");
  const remembered = await prompt(client, "remember", { what: "The oven is a Rofco B20." });
  expect(remembered).toMatch(/save_memory.*The oven is a Rofco B20\.$/s);
  await expect(prompt(client, "recall", {})).rejects.toThrow("topic");
});

test.each(CLIENTS)(
  "ChatGPT's two tools find and read at their own address (%s)",
  async (name, connect) => {
    const token = await server.token(`chatgpt ${name}`);
    const call = callsOf(await connect(token));
    const { memory } = await call("save_memory", { content: "Rye comes from Hovis Mill." });
    await call("import_data", {
      items: [
        {
          platform: "claude",
          title: "Flour",
          messages: [
            { role: "user", content: "Which mill grinds rye?" },
            { role: "assistant", content: "The one by the river." },
          ],
        },
      ],
    });
    const client = await connect(token, `${server.mcpUrl}?tools=chatgpt`);
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(["search", "fetch"]);
    const ask = callsOf(client);
    const { results } = await ask("search", { query: "rye mill" });
    expect(results).toContainEqual({
      id: `memory:${memory.id}`,
      title: "Rye comes from Hovis Mill.",
      url: `${server.origin}/api/memories/${memory.id}`,
    });
    const texts = await Promise.all(
      results.map(async ({ id }: { id: string }) => (await ask("fetch", { id }))["text"]),
    );
    expect(new Set(texts)).toEqual(
      new Set([
        "Rye comes from Hovis Mill.",
        "user: Which mill grinds rye?\n\nassistant: The one by the river.",
      ]),
    );
  },
);

async function connectV2(token: string, url = server.mcpUrl): Promise<ClientV2> {
  const client = new ClientV2(
    { name: "test", version: "1" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  await client.connect(new TransportV2(new URL(url), { requestInit: signedIn(token) }));
  open.add(client);
  return client;
}

async function connectV1(token: string, url = server.mcpUrl): Promise<ClientV1> {
  const client = new ClientV1({ name: "test", version: "1" });
  await client.connect(new TransportV1(new URL(url), { requestInit: signedIn(token) }));
  open.add(client);
  return client;
}

function signedIn(token: string): RequestInit {
  return { headers: { authorization: `Bearer ${token}` } };
}

async function listen(token: string, uris: string[]) {
  const client = await connectV2(token);
  const heard = new Set<string>();
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => {
    heard.add(params.uri);
  });
  const subscription = await client.listen({ resourceSubscriptions: uris });
  expect(subscription.honoredFilter).toEqual({ resourceSubscriptions: uris });
  return { client, heard: () => heard };
}

async function read(client: ClientV1 | ClientV2, uri: string): Promise<string> {
  const { contents } = await client.readResource({ uri });
  const [content] = contents;
  if (content === undefined || !("text" in content)) throw new Error("No text");
  return content.text;
}

async function prompt(
  client: ClientV1 | ClientV2,
  name: string,
  args: Record<string, string>,
): Promise<string> {
  const { messages } = await client.getPrompt({ name, arguments: args });
  const [message] = messages;
  if (message?.content.type !== "text") throw new Error("No text");
  return message.content.text;
}
