import fc from "fast-check";
import { expect, test } from "vitest";
import {
  allContentTypes,
  branched,
  conversation,
  node,
  said,
  slim,
  withMemories,
} from "../fixtures/chatgpt.ts";
import { damaged } from "../fixtures/damage.ts";
import { lines, readTexts, readValues } from "../fixtures/reading.ts";

test("a conversation is the way to its current leaf, in the order of the chain", async () => {
  const { conversations, skipped, sums } = await readValues([branched()]);
  expect(conversations).toHaveLength(1);
  expect(conversations[0]).toMatchObject({
    source: "chatgpt",
    originId: "garden",
    title: "About garden",
    createdAt: 1_790_000_000_250,
    updatedAt: 1_790_000_900_000,
  });
  expect(conversations[0]?.messages).toEqual([
    {
      originId: "q1-edited",
      role: "user",
      text: "What vegetable grows in shade?",
      createdAt: 1_790_000_003_000,
      attachments: [],
    },
    {
      originId: "a2-again",
      role: "assistant",
      text: "Spinach.",
      createdAt: 1_790_000_005_000,
      model: "gpt-6",
      attachments: [],
    },
    {
      originId: "q2",
      role: "user",
      text: "When to sow it?",
      createdAt: 1_790_000_006_000,
      attachments: [],
    },
    {
      originId: "a3",
      role: "assistant",
      text: "In March.",
      createdAt: 1_790_000_000_000,
      model: "gpt-6-mini",
      attachments: [],
    },
  ]);
  expect(skipped).toEqual({ "message system": 1, "message other_branch": 3 });
  expect(sums).toEqual({ conversation: 1, message: 8, memory: 0 });
});

test("the same conversation reads alike without children, without parents, and in any order of its nodes", async () => {
  const expected = (await readValues([branched()])).conversations;
  const mapping = Object.entries(Object(branched()["mapping"]));
  const without = (key: string, entries: typeof mapping) =>
    Object.fromEntries(entries.map(([id, entry]) => [id, { ...Object(entry), [key]: undefined }]));
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(mapping, { minLength: mapping.length }),
      fc.constantFrom("children", "parent", "nothing"),
      async (entries, key) => {
        const element = { ...branched(), mapping: without(key, entries) };
        expect((await readValues([element])).conversations).toEqual(expected);
      },
    ),
    { numRuns: 50 },
  );
});

test("the slim variant is read, and custom instructions become memories in the person's own words", async () => {
  const lost = { id: "lost", conversation_id: "lost", title: "Lost", default_model_slug: "gpt-6" };
  const { conversations, memories, skipped, sums } = await readValues([slim(), lost, null]);
  expect(conversations.map(lines)).toEqual([
    ["user: When do bees swarm?", "assistant: Mostly in May."],
  ]);
  expect(memories).toEqual([
    {
      source: "chatgpt",
      originId: null,
      content: "Keeps bees in Brecon.",
      tags: [],
      category: "personal_facts",
    },
    {
      source: "chatgpt",
      originId: null,
      content: "Answer in Welsh.",
      tags: [],
      category: "instructions",
    },
  ]);
  expect(skipped).toEqual({ "conversation unreadable": 2, "message hidden": 1 });
  expect(sums).toEqual({ conversation: 3, message: 3, memory: 2 });
});

test("each content type is taken or left out for its reason", async () => {
  const { conversations, skipped, sums, records } = await readValues([allContentTypes()]);
  expect(lines(conversations[0])).toEqual([
    "user: Look at this",
    "user: And what is this?",
    "assistant: ```python\nprint(2)\n```",
    "assistant: Done.",
  ]);
  expect(conversations[0]?.messages.map(({ attachments }) => attachments)).toEqual([
    [{ name: "hive.jpg" }],
    [{ name: "sediment://file_voice" }],
    [],
    [],
  ]);
  expect(skipped).toEqual({
    "message system": 1,
    "message media_only": 1,
    "message reasoning": 2,
    "message tool": 3,
    "message hidden": 2,
    "message unsupported": 1,
    "message empty": 1,
  });
  expect(sums.message).toBe(15);
  expect(JSON.stringify(records)).not.toContain("SECRET THOUGHT");
});

test("memories are found on every branch, and a snapshot that repeats is one item", async () => {
  const { memories, skipped, sums } = await readValues([withMemories("one"), withMemories("two")]);
  expect(memories).toEqual([
    {
      source: "chatgpt",
      originId: null,
      content: "Has a daughter named Elin.",
      tags: [],
      createdAt: Date.UTC(2026, 2, 1),
    },
    {
      source: "chatgpt",
      originId: null,
      content: "Runs on Tuesdays,\nif it is dry.",
      tags: [],
      createdAt: Date.UTC(2026, 3, 2),
    },
    {
      source: "chatgpt",
      originId: null,
      content: "Lives in Brecon.",
      tags: [],
      createdAt: 1_790_000_031_000,
    },
  ]);
  expect(skipped).toEqual({ "message system": 2, "message other_branch": 4 });
  expect(sums).toEqual({ conversation: 2, message: 10, memory: 3 });
});

test("a conversation that ChatGPT was told not to remember gives neither messages nor memories", async () => {
  const { records, sums } = await readValues([withMemories("one", { is_do_not_remember: true })]);
  expect(records).toEqual([
    {
      type: "skipped",
      kind: "conversation",
      reason: "not_selected",
      count: 1,
      example: "About one",
    },
    { type: "skipped", kind: "message", reason: "not_selected", count: 2, example: "About one" },
    { type: "skipped", kind: "message", reason: "system", count: 1, example: "About one" },
    { type: "skipped", kind: "message", reason: "other_branch", count: 2, example: "About one" },
  ]);
  expect(sums).toEqual({ conversation: 1, message: 5, memory: 0 });
});

test("citation marks go, names and links in them stay, and what the person wrote is not touched", async () => {
  const answers = [
    "It rains \uE200cite\uE202turn0search3\uE202turn1news0\uE201.",
    'In \uE200entity\uE202["city","Lisbon","Portugal"]\uE201 it rains \uE203often\uE204.',
    'In entity["city","Porto","Portugal"] too citeturn0search3.',
    "See 【4:0†source】 and \uE200url\uE202the guide\uE202https://example.org\uE201.",
  ];
  const question = 'What is entity["city","Faro","x"]?';
  const { conversations } = await readValues([
    conversation("cited", [
      node("q", null, said("user", question, null)),
      ...answers.map((text, index) =>
        node(`a${index}`, index === 0 ? "q" : `a${index - 1}`, said("assistant", text, null)),
      ),
    ]),
  ]);
  expect(lines(conversations[0])).toEqual([
    `user: ${question}`,
    "assistant: It rains.",
    "assistant: In Lisbon it rains often.",
    "assistant: In Porto too.",
    "assistant: See and the guide.",
  ]);
});

test("text is well-formed and without NUL, and times that are none are null", async () => {
  const { conversations } = await readValues([
    conversation(
      "odd",
      [
        node("q", null, said("user", "a\ud800b\0c", 0)),
        node("a", "q", said("assistant", "d", 1e300)),
      ],
      { create_time: null, update_time: -5, title: null, gizmo_id: "g-p-hedges" },
    ),
  ]);
  expect(conversations[0]).toMatchObject({
    title: "",
    project: "g-p-hedges",
    createdAt: null,
    updatedAt: null,
    messages: [
      { text: "a\uFFFDbc", createdAt: null },
      { text: "d", createdAt: null },
    ],
  });
});

test("keys of objects are data: __proto__ is a node like any other", async () => {
  const text = JSON.stringify([
    conversation("hostile", [
      node("constructor", null, said("user", "one", 1)),
      node("leaf", "__proto__", said("assistant", "three", 3)),
    ]),
  ]).replace(
    '"mapping":{',
    `"mapping":{"__proto__":${JSON.stringify(node("__proto__", "constructor", said("user", "two", 2)))},`,
  );
  const { conversations } = await readTexts(text);
  expect(lines(conversations[0])).toEqual(["user: one", "user: two", "assistant: three"]);
  expect(Object("x")["parent"]).toBeUndefined();
});

test("a chain of 20,000 messages is one conversation", async () => {
  const nodes = Array.from({ length: 20_000 }, (_, index) =>
    node(
      `n${index}`,
      index === 0 ? null : `n${index - 1}`,
      said(index % 2 === 0 ? "user" : "assistant", `turn ${index}`, 0),
    ),
  );
  const { conversations } = await readValues([conversation("long", nodes.toReversed())]);
  expect(conversations[0]?.messages).toHaveLength(20_000);
  expect(conversations[0]?.messages.at(-1)?.text).toBe("turn 19999");
});

test("whatever is damaged, nothing throws and every item is counted once", async () => {
  const whole = [branched(), slim(), allContentTypes(), withMemories("m")];
  await fc.assert(
    fc.asyncProperty(damaged(whole), async (elements) => {
      // The file must stay recognisable: one sound conversation stands in front.
      const file: unknown[] = [branched(), ...(Array.isArray(elements) ? elements : [elements])];
      const { reading, sums } = await readTexts(JSON.stringify(file));
      const raw: unknown = JSON.parse(JSON.stringify(file));
      expect(sums).toEqual(reading.totals);
      expect(sums.conversation).toBe(file.length);
      expect(sums.message).toBe(messageNodes(raw));
    }),
    { numRuns: 500 },
  );
});

/** Tree nodes with a message, counted without the reader. */
function messageNodes(file: unknown): number {
  const isObject = (value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  let count = 0;
  for (const element of Array.isArray(file) ? file : []) {
    if (!isObject(element) || !isObject(element.mapping)) continue;
    for (const entry of Object.values(Object(element.mapping))) {
      if (isObject(entry) && (Object(entry)["message"] ?? null) !== null) count += 1;
    }
  }
  return count;
}
