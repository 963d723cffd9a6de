import fc from "fast-check";
import { expect, test } from "vitest";
import { damaged } from "../fixtures/damage.ts";
import {
  allContents,
  branched,
  conversation,
  memory,
  store,
  storedMemories,
} from "../fixtures/pam.ts";
import { lines, readValues } from "../fixtures/reading.ts";

test("active memories come with category, tags and times, without their confidence", async () => {
  const { memories, skipped, sums, records } = await readValues(store());
  expect(memories).toEqual([
    {
      source: "pam",
      originId: "p-1",
      content: "Lives in Brecon.",
      tags: ["home"],
      category: "personal_facts",
      createdAt: Date.UTC(2026, 0, 1),
      updatedAt: Date.UTC(2026, 0, 2),
      expiresAt: Date.UTC(2029, 0, 1),
    },
    {
      source: "pam",
      originId: "p-4",
      content: "Prefers tea.",
      tags: [],
      category: "user_preferences",
      createdAt: Date.UTC(2026, 0, 1),
    },
    {
      source: "pam",
      originId: "p-5",
      content: "Rain in the morning.",
      tags: ["weather"],
      createdAt: Date.UTC(2026, 0, 1),
    },
  ]);
  expect(skipped).toEqual({ "memory unsupported": 2, "memory empty": 1 });
  expect(records).toContainEqual({
    type: "skipped",
    kind: "memory",
    reason: "unsupported",
    count: 1,
    example: "Lives in Cardiff.",
  });
  expect(sums).toEqual({ conversation: 0, message: 0, memory: 6 });
});

test("a store is known with its keys sorted, behind damaged memories, and empty; embeddings are named", async () => {
  const many = Array.from({ length: 30 }, (_, index) => memory(`p-${index}`, `Hedge ${index}`));
  const embeddings = {
    schema: "portable-ai-memory-embeddings",
    schema_version: "1.0",
    embeddings: [{ id: "e", memory_id: "p-1", model: "m", dimensions: 1, vector: [0.5] }],
  };
  const { reading, sums } = await readValues(
    { memories: many, schema: "portable-ai-memory" },
    store([null, 1]),
    store([]),
    embeddings,
  );
  expect(
    reading.recognised.map((file) => (file.outcome === "read" ? file.format : file.message)),
  ).toEqual([
    "Portable AI Memory store",
    "Portable AI Memory store",
    "Portable AI Memory store",
    "This looks like a file of Portable AI Memory embeddings, which Cofio cannot read.",
  ]);
  expect(sums.memory).toBe(32);
});

test("a conversation is its newest branch, with models, times and ids", async () => {
  const { conversations, skipped, reading } = await readValues(conversation(branched()));
  expect(conversations).toMatchObject([
    {
      source: "pam",
      originId: "pam-1",
      title: "Bread",
      createdAt: Date.UTC(2026, 8, 20, 8),
      updatedAt: Date.UTC(2026, 8, 20, 9),
    },
  ]);
  expect(conversations[0]?.messages).toEqual([
    {
      originId: "m1",
      role: "user",
      text: "Rye or wheat?",
      createdAt: Date.UTC(2026, 8, 20, 8, 1),
      attachments: [],
    },
    {
      originId: "m2",
      role: "assistant",
      text: "Rye.",
      createdAt: Date.UTC(2026, 8, 20, 8, 2),
      model: "claude-6-mini",
      attachments: [],
    },
    expect.objectContaining({ originId: "m3b", text: "Why rye?" }),
    expect.objectContaining({ originId: "m4b", model: "claude-6" }),
  ]);
  expect(skipped).toEqual({ "message other_branch": 2 });
  expect([...reading.accounts]).toEqual([["account-1", 1]]);
});

test("a branch is found by its children where no message names a parent", async () => {
  const children: Record<string, string[]> = { m1: ["m2"], m2: ["m3", "m3b"], m3b: ["m4b"] };
  const messages = branched().map((message) => ({
    ...message,
    parent_id: null,
    children_ids: children[String(message["id"])] ?? [],
  }));
  const { conversations } = await readValues(conversation(messages));
  expect(conversations[0]?.messages.map(({ originId }) => originId)).toEqual([
    "m1",
    "m2",
    "m3b",
    "m4b",
  ]);
});

test("only what was said is taken, and everything else is counted for its reason", async () => {
  const { conversations, skipped, sums, records } = await readValues(conversation(allContents()));
  expect(lines(conversations[0])).toEqual([
    "user: What does this do?\n\n```python\nprint(1)\n```",
    "assistant: It prints 1.",
  ]);
  expect(conversations[0]?.messages[0]?.attachments).toEqual([{ name: "image" }]);
  expect(skipped).toEqual({
    "message system": 1,
    "message reasoning": 1,
    "message tool": 2,
    "message media_only": 1,
    "message duplicate_in_file": 1,
    "message unsupported": 1,
    "message unreadable": 1,
    "message empty": 1,
  });
  expect(sums).toEqual({ conversation: 1, message: 11, memory: 0 });
  expect(JSON.stringify(records)).not.toMatch(/NEVER IMPORT|never-fetched/);
});

test("a chain of 20,000 messages and one that closes a circle are read", async () => {
  const chain = Array.from({ length: 20_000 }, (_, index) => ({
    id: `n${index}`,
    role: "user",
    content: { type: "text", text: `${index}` },
    parent_id: index === 0 ? "n1" : `n${index - 1}`,
  }));
  const { conversations, sums } = await readValues(conversation(chain));
  expect(conversations[0]?.messages).toHaveLength(20_000);
  expect(sums.message).toBe(20_000);
});

test("whatever is damaged, nothing throws and every item is counted once", async () => {
  await fc.assert(
    fc.asyncProperty(
      damaged(storedMemories()),
      damaged([...branched(), ...allContents()]),
      damaged(conversation(branched())),
      async (memories, messages, whole) => {
        const stored = Array.isArray(memories) ? memories : [memories];
        const said = Array.isArray(messages) ? messages : [];
        const file = { ...Object(whole), id: "pam-2", schema: "portable-ai-memory-conversation" };
        const { reading, sums } = await readValues(store(stored), conversation(said), file);
        expect(sums).toEqual(reading.totals);
        expect(sums.memory).toBe(stored.length);
        expect(sums.conversation).toBe(2);
        const damagedMessages: unknown = file["messages"];
        expect(sums.message).toBe(
          said.length + (Array.isArray(damagedMessages) ? damagedMessages.length : 0),
        );
      },
    ),
    { numRuns: 300 },
  );
});
