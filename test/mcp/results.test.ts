/** Every tool's whole answer against a full schema: a key that is missing, new or of another type fails. */
import { expect, test } from "vitest";
import * as z from "zod";
import { CATEGORIES, ROLES, SOURCES } from "../../src/storage/closed-lists.ts";
import { RULE_NAMES } from "../../src/storage/rules.ts";
import { callTool, newPerson } from "../support/people.ts";

const time = z.iso.datetime();
const id = z.string().regex(/^[a-z2-7]{12}$/);
const operationId = z.string().regex(/^[a-z2-7]{16}$/);
const jobId = z.string().regex(/^[a-z2-7]{26}$/);
const relevance = z.number().min(0).max(1);

const memoryFields = {
  id,
  version: z.int().positive(),
  category: z.enum(CATEGORIES),
  tags: z.array(z.string()).min(1).optional(),
  project: z.string().optional(),
  importance: z.int().min(1).max(5),
  source: z.enum(SOURCES),
  origin: z.enum(["user", "assistant"]),
  client: z.string(),
  status: z.enum(["active", "pending", "trashed"]),
  created_at: time,
  updated_at: time,
  expires_at: time.optional(),
  superseded_by: id.optional(),
  user_asked: z.literal(true).optional(),
  supersedes: id.optional(),
};
const rules = z
  .array(
    z.strictObject({
      rule: z.enum(RULE_NAMES),
      action: z.string(),
      message: z.string(),
      memory: z.strictObject({ id, content: z.string() }).optional(),
    }),
  )
  .nonempty()
  .optional();
const memory = z.strictObject({ ...memoryFields, content: z.string() });
const conversation = z.strictObject({
  id,
  title: z.string(),
  platform: z.enum(SOURCES),
  project: z.string().optional(),
  message_count: z.int(),
  created_at: time,
  updated_at: time,
});
const counts = z.strictObject({
  found: z.int(),
  new: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  skipped: z.int(),
});
const neighbour = z.strictObject({ id, role: z.enum(ROLES), text: z.string() });
const tally = z.record(z.string(), z.int());

const RESULTS = {
  save_memory: z.strictObject({
    outcome: z.enum(["created", "duplicate", "pending"]),
    memory,
    similar: z.array(
      z.strictObject({
        id,
        content: z.string(),
        relevance,
        only_here: z.array(z.string()),
        only_there: z.array(z.string()),
      }),
    ),
    rules,
    operation_id: operationId.optional(),
  }),
  search_memory: z.strictObject({
    results: z.array(
      z.strictObject({
        ...memoryFields,
        content: z.string().optional(),
        snippet: z.string().optional(),
        matched: z.boolean(),
        relevance,
        why: z.array(z.string()),
      }),
    ),
    conversations: z
      .array(z.strictObject({ id, title: z.string(), platform: z.enum(SOURCES), updated_at: time }))
      .optional(),
    total: z.int(),
    next_cursor: z.string().optional(),
  }),
  list_memories: z.strictObject({
    memories: z.array(memory),
    total: z.int(),
    next_cursor: z.string().optional(),
  }),
  get_memory: z.strictObject({
    memory: z.strictObject({ ...memoryFields, content: z.string(), trashed_at: time.optional() }),
    versions: z.array(memory).optional(),
  }),
  update_memory: z.strictObject({ memory, rules, operation_id: operationId.optional() }),
  delete_memory: z.strictObject({
    memory,
    restorable_until: time,
    operation_id: operationId.optional(),
  }),
  search_conversations: z.strictObject({
    results: z.array(
      z.strictObject({
        conversation,
        message: z.strictObject({
          id,
          role: z.enum(ROLES),
          created_at: time.optional(),
          snippet: z.string(),
        }),
        before: neighbour.optional(),
        after: neighbour.optional(),
        relevance,
        why: z.array(z.string()),
      }),
    ),
    total: z.int(),
    next_cursor: z.string().optional(),
  }),
  get_conversation: z.strictObject({
    conversation,
    messages: z.array(
      z.strictObject({
        id,
        role: z.enum(ROLES),
        text: z.string(),
        model: z.string().optional(),
        created_at: time.optional(),
        continues: z.literal(true).optional(),
      }),
    ),
    next_cursor: z.string().optional(),
  }),
  list_conversations: z.strictObject({
    conversations: z.array(conversation),
    total: z.int(),
    next_cursor: z.string().optional(),
  }),
  get_stats: z.strictObject({
    memories: z.strictObject({
      active: z.int(),
      pending: z.int(),
      trashed: z.int(),
      by_category: tally,
      by_source: tally,
      by_client: tally,
      by_month: tally,
    }),
    conversations: z.strictObject({ total: z.int(), messages: z.int(), by_platform: tally }),
    bytes: z.int(),
    top_tags: z.array(z.strictObject({ tag: z.string(), count: z.int() })),
    // The bytes stand beside them where there is a limit: `limits.test.ts`.
    quota: z.strictObject({ memories_used: z.int(), memories_limit: z.int() }),
    rules: z.record(z.enum(RULE_NAMES), z.unknown()),
    last_export_at: time.optional(),
    last_backup_at: time.optional(),
    last_verified_backup_at: time.optional(),
    backup_problem: z.string().optional(),
    time_zone: z.string(),
  }),
  export_data: z.strictObject({
    data: z.string(),
    counts: z.strictObject({ memories: z.int(), conversations: z.int(), messages: z.int() }),
  }),
  import_data: z.strictObject({
    format: z.string(),
    job: z.strictObject({ id: jobId, state: z.literal("finished") }),
    operation_id: operationId.optional(),
    items: z.strictObject({
      ...counts.shape,
      remaining: z.int(),
      by_kind: z.strictObject({ conversation: counts, message: counts, memory: counts }),
    }),
    skipped_reasons: z
      .array(
        z.strictObject({
          kind: z.enum(["conversation", "message", "memory"]),
          reason: z.string(),
          count: z.int(),
          examples: z.array(z.string()).max(3),
        }),
      )
      .optional(),
    rules,
    files: z.array(z.strictObject({ name: z.string(), format: z.string() })),
  }),
} as const;

test("every result is what the contract says, key by key", async () => {
  const person = await newPerson();
  const call = async (name: keyof typeof RESULTS, args: Record<string, unknown> = {}) => {
    const { isError, data } = await callTool(person, name, args);
    expect(isError, JSON.stringify(data)).toBe(false);
    const parsed = RESULTS[name].safeParse(data);
    expect(parsed.error?.issues ?? [], `${name}: ${JSON.stringify(data)}`).toEqual([]);
    return data;
  };
  await call("save_memory", { content: "Runs the bakery on Mondays." });
  const full = await call("save_memory", {
    content: "Runs the bakery on Tuesdays.",
    category: "events",
    tags: ["work", "bread"],
    project: "Atlas",
    importance: 4,
    expires_at: "2099-01-01",
    asked_as: ["When?"],
  });
  const memoryId = full["memory"].id;
  await call("save_memory", { content: "runs the bakery on tuesdays", project: "Atlas" });
  // Of the form of a secret, so that a rule acts on it.
  const token = `cofio_${"a".repeat(16)}_${"b".repeat(42)}`;
  await call("save_memory", { content: `The token is ${token}.`, user_asked: true });
  const chat = {
    platform: "kimi",
    id: "c",
    title: "Bread",
    project: "Atlas",
    messages: [
      { role: "user", content: "How long to proof?", created_at: "2026-02-01T10:00:00Z" },
      { role: "assistant", content: "Until it doubles.", model: "k2" },
    ],
  };
  await call("import_data", { items: [chat, { odd: true }, { content: "Bakes bread." }] });
  await call("search_memory", { query: "bakery bread proof", limit: 1 });
  await call("search_memory", { query: "nothing of the kind" });
  await call("list_memories", { limit: 1 });
  await call("update_memory", { id: memoryId, importance: 5 });
  await call("get_memory", { id: memoryId, include_history: true });
  await call("delete_memory", { id: memoryId });
  await call("get_memory", { id: memoryId });
  const found = await call("search_conversations", { query: "proof" });
  const conversationId = found["results"][0].conversation.id;
  await call("get_conversation", { id: conversationId, limit: 1 });
  await call("list_conversations");
  await call("export_data");
  await call("get_stats");
});

test("a reader of the text alone finds the next page", async () => {
  const person = await newPerson();
  await callTool(person, "import_data", {
    items: Array.from({ length: 7 }, (_, index) => ({ content: `Garden note ${index}` })),
  });
  for (const [tool, args] of [
    ["list_memories", { limit: 4 }],
    ["search_memory", { query: "garden", limit: 4 }],
  ] as const) {
    const first = await callTool(person, tool, args);
    const cursor = /call again with cursor "([^"]+)"/.exec(first.text)?.[1];
    // As a model may name it.
    const second = await callTool(person, tool, { ...args, next_cursor: cursor });
    expect(second.text).not.toContain("call again");
    const rows = [first, second].flatMap(({ data }) => data["memories"] ?? data["results"]);
    expect(new Set(rows.map((row: { id: string }) => row.id)).size).toBe(7);
  }
});

test("a client that may only write learns nothing of what is near", async () => {
  const name = crypto.randomUUID();
  const owner = await newPerson({ name });
  await callTool(owner, "save_memory", { content: "The salary is ninety thousand." });
  const writer = await newPerson({ name, scopes: ["memories:write"] });
  const { data, text } = await callTool(writer, "save_memory", {
    content: "The salary is something.",
  });
  expect(data["similar"]).toEqual([]);
  expect(text).not.toContain("ninety");
});

test("what is wrong with an argument is said with what to send instead", async () => {
  const person = await newPerson();
  const wrong = await callTool(person, "list_memories", { status: "gone" });
  expect(wrong.text).toContain("Send one of active, pending, trashed.");
  const both = await callTool(person, "import_data", { data: "[]", items: [] });
  expect(both.data["error"]).toMatchObject({ code: "invalid_input" });
});
