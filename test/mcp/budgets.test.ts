/** What the tools cost: tokens of the model's context before anything is asked, and the database's time and allowance at each call. */
import { env } from "cloudflare:workers";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { beforeAll, expect, test } from "vitest";
import inputSchemas from "../../src/mcp/input-schemas.json" with { type: "json" };
import { inputSchemaOf } from "../../src/mcp/input-schema.ts";
import { chatgptTools, tools } from "../../src/mcp/tools/index.ts";
import { callCounted, type Counts } from "../support/counting.ts";
import { callRaw, callTool, newPerson, type Person } from "../support/people.ts";

interface ListedTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: object;
  readonly outputSchema: { readonly properties: Record<string, { readonly type: string }> };
  readonly annotations: Record<string, unknown>;
}

const MAX_INPUT_TOKENS = 3_000;
const MAX_LIST_TOKENS = 5_000;
const MAX_ROUND_TRIPS = 10;
const MAX_TRANSFER_ROUND_TRIPS = 45;
/** What an invocation may ask of D1 on the free plan, statements of a batch counted one by one. */
const MAX_STATEMENTS = 50;

/** That an answer is asked to keep to. Its text does; the same as JSON, which has names for everything, may take half as much again. */
const BUDGET = 500;
const JSON_SHARE = 1.5;

/** Of some weeks of use. */
const MEMORIES = 60;
const CONVERSATIONS = 20;

let person: Person;
let listed: { readonly tools: readonly ListedTool[] };
/** An active memory that was superseded by none, its predecessor, a conversation and one of its messages. */
let ids: { memory: string; old: string; conversation: string; message: string; job: string };

beforeAll(async () => {
  person = await newPerson();
  listed = await listTools(person);
  const { data: old } = await callTool(person, "save_memory", {
    content: "We host the shop on Vercel with TypeScript.",
    tags: ["hosting", "shop"],
    project: "Shop",
  });
  const { data: memory } = await callTool(person, "save_memory", {
    content: "We host the shop on Railway with TypeScript.",
    supersedes: old["memory"].id,
    tags: ["hosting", "shop"],
    project: "Shop",
  });
  const { data: imported } = await callTool(person, "import_data", {
    items: [
      ...Array.from({ length: MEMORIES }, (_, index) => ({
        content: `Fact ${index} on the shop, number ${index * 7}`,
        tags: ["shop", `tag${index % 9}`],
      })),
      ...Array.from({ length: CONVERSATIONS }, (_, index) => chat(index, 6)),
    ],
  });
  const { data: found } = await callTool(person, "search_conversations", { query: "railway" });
  ids = {
    memory: memory["memory"].id,
    old: old["memory"].id,
    conversation: found["results"][0].conversation.id,
    message: found["results"][0].message.id,
    job: imported["job"].id,
  };
});

test("the listed schemas are what the tools take", () => {
  const made = Object.fromEntries(
    [...tools, ...chatgptTools].map((tool) => [tool.name, inputSchemaOf(tool)]),
  );
  expect(inputSchemas).toEqual(made);
});

test("there are twelve tools, whose names are frozen", () => {
  expect(listed.tools.map(({ name }) => name)).toEqual([
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
  ]);
});

test("names, descriptions and inputs of the tools take at most 3,000 tokens", () => {
  const tokens = listed.tools.map(({ name, description, inputSchema }) =>
    [name, description, JSON.stringify(inputSchema)].map(tokensOf).reduce((a, b) => a + b, 0),
  );
  expect(tokens.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(MAX_INPUT_TOKENS);
});

test("the whole list of tools takes at most 5,000 tokens", () => {
  expect(tokensOf(JSON.stringify(listed))).toBeLessThanOrEqual(MAX_LIST_TOKENS);
});

test("every tool says what it is, what it does to the world, and what its answers hold", () => {
  for (const { name, title, description, annotations, outputSchema } of listed.tools) {
    expect(title, name).toMatch(/^[A-Z]/);
    expect(description.length, name).toBeGreaterThan(40);
    expect(annotations, name).toMatchObject({
      readOnlyHint: expect.any(Boolean),
      destructiveHint: expect.any(Boolean),
      idempotentHint: expect.any(Boolean),
      openWorldHint: expect.any(Boolean),
    });
    expect(Object.keys(outputSchema.properties).length, name).toBeGreaterThan(0);
  }
});

test("what lists, searches and reads keeps to the budget that it is given, and leads on to the rest", async () => {
  const reader = await newPerson();
  await callTool(reader, "import_data", {
    items: [
      ...range(40, (at) => ({ content: `Garden note ${at}: ${"roses and lavender ".repeat(9)}` })),
      ...range(40, (at) => chat(at, 2)),
      chat(40, 100),
    ],
  });
  const { data: found } = await callTool(reader, "list_conversations", {
    limit: 50,
    max_tokens: 10_000,
  });
  const { id } = found["conversations"].find(({ title }: any) => title === "Chat 40");
  const asked: readonly [tool: string, args: Record<string, unknown>, key: string][] = [
    ["search_memory", { query: "garden roses", limit: 50 }, "results"],
    ["list_memories", { limit: 100 }, "memories"],
    ["search_conversations", { query: "message of chat", limit: 50 }, "results"],
    ["list_conversations", { limit: 50 }, "conversations"],
    ["get_conversation", { id, limit: 100 }, "messages"],
  ];
  for (const [tool, args, key] of asked) {
    const rows: string[] = [];
    let pages = 0;
    let total: number | undefined;
    let cursor: string | undefined;
    do {
      const { data, text } = await callTool(reader, tool, { ...args, max_tokens: BUDGET, cursor });
      expect(tokensOf(text), tool).toBeLessThanOrEqual(BUDGET);
      expect(tokensOf(JSON.stringify(data)), tool).toBeLessThanOrEqual(BUDGET * JSON_SHARE);
      rows.push(...data[key].map((row: any) => row.id ?? row.message.id));
      total = data["total"] ?? data["conversation"].message_count;
      cursor = data["next_cursor"];
      pages += 1;
    } while (cursor !== undefined);
    expect([tool, new Set(rows).size, rows.length]).toEqual([tool, total, total]);
    expect(pages, tool).toBeGreaterThan(2);
  }
});

// Fresh words in each, so that none depends on another.
const CALLS: readonly [what: string, tool: string, args: () => Record<string, unknown>][] = [
  ["a question", "search_memory", () => ({ query: "Where do we host the shop on Railway?" })],
  ["a question no word answers", "search_memory", () => ({ query: "zeppelin" })],
  ["a question of common words", "search_memory", () => ({ query: "fact shop number" })],
  ["all filters", "search_memory", () => ({ query: "shop", ...FILTERS, min_relevance: 0.1 })],
  ["no question", "search_memory", () => ({})],
  ["a fact", "save_memory", () => ({ content: "The shop opens at nine." })],
  [
    "a fact with everything",
    "save_memory",
    () => ({
      content: "We host the shop on Fly with TypeScript.",
      category: "hosting",
      tags: Array.from({ length: 19 }, (_, index) => `label ${index}`),
      project: "Shop",
      supersedes: ids.memory,
      expires_at: "2099-01-01",
      asked_as: ["Where does it run?", "Which platform?"],
      idempotency_key: "budgets",
    }),
  ],
  ["a fact that is known", "save_memory", () => ({ content: "Fact 3 on the shop, number 21" })],
  ["the newest", "list_memories", () => ({})],
  ["all filters", "list_memories", () => ({ ...FILTERS, order: "important", limit: 100 })],
  ["one", "get_memory", () => ({ id: ids.old })],
  ["one with its history", "get_memory", () => ({ id: ids.old, include_history: true })],
  [
    "all fields",
    "update_memory",
    () => ({
      id: ids.memory,
      content: "We host the shop on Render.",
      category: "decisions",
      add_tags: ["cloud"],
      remove_tags: ["hosting"],
      project: "Atlas",
      importance: 5,
      asked_as: ["Where is it?"],
      expires_at: "never",
    }),
  ],
  ["into the trash", "update_memory", () => ({ id: ids.old, status: "trashed" })],
  ["out of the trash", "update_memory", () => ({ id: ids.old, status: "active" })],
  ["one", "delete_memory", () => ({ id: ids.old })],
  ["a question", "search_conversations", () => ({ query: "railway or sourdough", limit: 50 })],
  ["common words", "search_conversations", () => ({ query: "message of chat user" })],
  ["no question", "search_conversations", () => ({})],
  ["a page", "get_conversation", () => ({ id: ids.conversation })],
  ["around one", "get_conversation", () => ({ id: ids.conversation, around: ids.message })],
  ["a page", "list_conversations", () => ({})],
  ["a platform's", "list_conversations", () => ({ platform: "chatgpt", after: "2020-01-01" })],
  ["all", "get_stats", () => ({})],
  ["inline", "export_data", () => ({ include: "memories" })],
  ["inline with chats", "export_data", () => ({ deliver: "inline", include: "conversations" })],
  ["whatever is best", "export_data", () => ({})],
  ["to an archive", "export_data", () => ({ deliver: "archive" })],
  ["the upload page", "import_data", () => ({})],
  ["an earlier job", "import_data", () => ({ job_id: ids.job })],
  ["200 memories", "import_data", () => ({ items: range(200, (at) => `Note ${at} on sails`) })],
  ["a hundred chats", "import_data", () => ({ items: range(100, (at) => chat(1_000 + at, 4)) })],
  [
    "the same once more",
    "import_data",
    () => ({ items: range(CONVERSATIONS, (at) => chat(at, 6)) }),
  ],
  ["a chat of 1,000 messages", "import_data", () => ({ items: [chat(5_000, 1_000)] })],
];

const FILTERS = {
  tags: ["shop", "tag1"],
  tag_match: "any",
  category: "other",
  after: "2020-01-01",
  before: "2099-01-01",
};

test.each(CALLS)(
  "%s: %s stays within its round trips, statements and keys",
  async (_, tool, args) => {
    const call = await callCounted(person.userId, tool, args());
    const isTransfer = tool === "import_data" || tool === "export_data";
    expect(call).toMatchObject({
      roundTrips: atMost(isTransfer ? MAX_TRANSFER_ROUND_TRIPS : MAX_ROUND_TRIPS),
      statements: atMost(MAX_STATEMENTS),
    } satisfies Record<keyof Counts, unknown>);
    const schema = listed.tools.find(({ name }) => name === tool)?.outputSchema.properties ?? {};
    const types = Object.entries(call.structured).map(([key, value]) => [key, typeOf(value)]);
    for (const [key, type] of types)
      expect([tool, key, schema[key ?? ""]?.type]).toEqual([tool, key, type]);
    expect(types.length).toBeGreaterThan(0);
  },
);

test("every tool is among the calls that were counted", () => {
  expect(new Set(CALLS.map(([, tool]) => tool))).toEqual(
    new Set(listed.tools.map(({ name }) => name)),
  );
});

test("a search costs the same however many memories there are", async () => {
  const few = await newPerson();
  await callTool(few, "save_memory", { content: "Fact 1 on the shop" });
  const query = { query: "fact on the shop" };
  const [small, large] = [
    await callCounted(few.userId, "search_memory", query),
    await callCounted(person.userId, "search_memory", query),
  ];
  expect(large.roundTrips).toBeLessThanOrEqual(small.roundTrips + 1);
});

test("statistics are counted where something has changed, and else kept", async () => {
  const owner = await newPerson();
  await callTool(owner, "save_memory", { content: "Fact 1 on the shop" });
  const counted = await callCounted(owner.userId, "get_stats");
  const kept = await callCounted(owner.userId, "get_stats");
  expect(kept.statements).toBeLessThan(counted.statements);
  expect(kept.structured).toEqual(counted.structured);
  await callTool(owner, "save_memory", { content: "Fact 2 on the harbour", category: "people" });
  const again = await callCounted(owner.userId, "get_stats");
  expect(again.statements).toBe(counted.statements);
  expect(again.structured).toMatchObject({ memories: { by_category: { people: 1 } } });
});

test("statistics follow each change, whatever the latest operation is called", async () => {
  const owner = await newPerson();
  const { data } = await callTool(owner, "save_memory", { content: "Fact 1", category: "people" });
  // As a clock that was ahead leaves it: no later id is greater.
  const sql = "UPDATE operations SET id = 'zzzzzzzzzzzzzzzz' WHERE user_id = ?1 RETURNING id";
  expect((await env.DB.prepare(sql).bind(owner.userId).all()).results).toHaveLength(1);
  const byCategory = async () =>
    (await callTool(owner, "get_stats", {})).data["memories"].by_category;
  expect(await byCategory()).toEqual({ people: 1 });
  const { id } = data["memory"];
  await callTool(owner, "update_memory", { id, category: "other" });
  expect(await byCategory()).toEqual({ other: 1 });
});

async function listTools({ token }: Person): Promise<typeof listed> {
  const text = await (await callRaw(token, "tools/list")).text();
  // True as long as the protocol's own schema of tools/list holds, which its clients check.
  const message = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as { result: typeof listed };
  return message.result;
}

function tokensOf(text: string): number {
  return encode(text).length;
}

function atMost(max: number): unknown {
  return expect.toSatisfy((count: number) => count > 0 && count <= max, `at most ${max}`);
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? "array" : typeof value;
}

function range<T>(length: number, make: (at: number) => T): T[] {
  return Array.from({ length }, (_, at) => make(at));
}

function chat(at: number, messages: number) {
  return {
    platform: "chatgpt",
    id: `chat-${at}`,
    title: `Chat ${at}`,
    messages: range(messages, (turn) => ({
      role: turn % 2 === 0 ? "user" : "assistant",
      content: `Message ${turn} of chat ${at}${at === 3 ? ", about Railway" : ""}`,
    })),
  };
}
