import fc from "fast-check";
import { expect, test } from "vitest";
import { damaged } from "../fixtures/damage.ts";
import {
  allFragments,
  answer,
  branched,
  conversation,
  fragment,
  message,
  node,
} from "../fixtures/deepseek.ts";
import { lines, readTexts, readValues } from "../fixtures/reading.ts";

test("a conversation is the way to its newest leaf, without thoughts and searches", async () => {
  const { conversations, skipped, sums, records } = await readValues([branched()]);
  expect(conversations).toEqual([
    {
      source: "deepseek",
      originId: "moss",
      title: "About moss",
      createdAt: Date.UTC(2026, 8, 20, 8),
      updatedAt: Date.UTC(2026, 8, 20, 9),
      messages: [
        {
          originId: "3",
          role: "user",
          text: "Does moss have roots?",
          createdAt: Date.UTC(2026, 8, 20, 8, 0, 3, 500),
          attachments: [],
        },
        {
          originId: "4",
          role: "assistant",
          text: "No, rhizoids.\n\nThey hold it in place.",
          createdAt: Date.UTC(2026, 8, 20, 8, 0, 4, 500),
          model: "deepseek-reasoner",
          attachments: [],
        },
      ],
    },
  ]);
  expect(skipped).toEqual({ "message other_branch": 2 });
  expect(sums).toEqual({ conversation: 1, message: 4, memory: 0 });
  expect(JSON.stringify(records)).not.toContain("NEVER IMPORT");
});

test("fragments, and the roles of older files, say who speaks", async () => {
  const { conversations, skipped, sums, records } = await readValues([allFragments()]);
  const [read] = conversations;
  expect(lines(read)).toEqual([
    "user: And this?",
    "user: Both?",
    "assistant: In one node.",
    "user: From an older file",
    "assistant: Read as well",
  ]);
  expect(read?.messages.map(({ originId }) => originId)).toEqual(["2", "5", "5/1", "8", "9"]);
  expect(read?.messages.map(({ attachments }) => attachments)).toEqual([
    [{ name: "f2" }],
    [],
    [],
    [],
    [],
  ]);
  expect(skipped).toEqual({
    "message media_only": 1,
    "message reasoning": 1,
    "message tool": 1,
    "message empty": 1,
    "message unreadable": 3,
    "message system": 1,
    "message unsupported": 1,
  });
  // One node held two messages.
  expect(sums.message).toBe(13 + 1);
  expect(JSON.stringify(records)).not.toContain("NEVER IMPORT");
});

test("the answer of the site's route is read like the export: ids, times and the leaf that it names", async () => {
  const { conversations, skipped, sums, records } = await readValues(answer());
  expect(conversations).toEqual([
    {
      source: "deepseek",
      originId: "ferns",
      title: "Ferns",
      createdAt: 1_790_000_000_500,
      updatedAt: 1_790_000_600_000,
      messages: [
        {
          originId: "1",
          role: "user",
          text: "Do ferns flower?",
          createdAt: 1_790_000_001_250,
          attachments: [],
        },
        {
          originId: "2",
          role: "assistant",
          text: "No, they make spores.",
          createdAt: 1_790_000_002_250,
          attachments: [],
        },
      ],
    },
  ]);
  expect(skipped).toEqual({
    "message unreadable": 1,
    "message duplicate_in_file": 1,
    "message other_branch": 1,
  });
  expect(sums).toEqual({ conversation: 1, message: 5, memory: 0 });
  expect(JSON.stringify(records)).not.toContain("NEVER IMPORT");
});

test("conversations that cannot be read, or hold nothing, are counted with their titles", async () => {
  const { records, sums } = await readValues([
    branched(),
    { id: "lost", title: "Lost", inserted_at: "2026-09-20T08:00:00Z", mapping: null },
    conversation("nothing", [node("root", null)]),
    null,
  ]);
  expect(records.slice(2)).toEqual([
    { type: "skipped", kind: "conversation", reason: "unreadable", count: 1, example: "Lost" },
    {
      type: "skipped",
      kind: "conversation",
      reason: "empty",
      count: 1,
      example: "About nothing",
    },
    { type: "skipped", kind: "conversation", reason: "unreadable", count: 1 },
  ]);
  expect(sums.conversation).toBe(4);
});

test("circles end, orphans are read, and __proto__ is a node like any other", async () => {
  const { conversations, skipped } = await readTexts(
    JSON.stringify([
      conversation("circle", [
        node("1", "2", message(1, [fragment("REQUEST", "a\ud800b\0c")])),
        node("2", "1", message(2, [fragment("RESPONSE", "two")])),
      ]),
      conversation("orphan", [
        node("constructor", "gone", message(1, [fragment("REQUEST", "one")])),
        node("leaf", "__proto__", message(3, [fragment("REQUEST", "three")])),
      ]),
    ]).replace(
      '"mapping":{"constructor"',
      `"mapping":{"__proto__":${JSON.stringify(
        node("__proto__", "constructor", message(2, [fragment("RESPONSE", "two")])),
      )},"constructor"`,
    ),
  );
  expect(conversations.map(lines)).toEqual([
    ["user: a\uFFFDbc", "assistant: two"],
    ["user: one", "assistant: two", "user: three"],
  ]);
  expect(skipped).toEqual({});
});

test("a chain of 20,000 messages is one conversation", async () => {
  const nodes = Array.from({ length: 20_000 }, (_, index) =>
    node(
      `${index}`,
      index === 0 ? null : `${index - 1}`,
      message(0, [fragment(index % 2 === 0 ? "REQUEST" : "RESPONSE", `turn ${index}`)]),
    ),
  );
  const { conversations } = await readValues([conversation("long", nodes)]);
  expect(conversations[0]?.messages).toHaveLength(20_000);
  expect(conversations[0]?.messages.at(-1)?.text).toBe("turn 19999");
});

test("whatever is damaged, nothing throws and every item is counted once", async () => {
  const plain = conversation("plain", [
    node("root", null),
    node("1", "root", message(1, [fragment("REQUEST", "One?")])),
    node("2", "1", { role: "assistant", content: "Two." }),
  ]);
  await fc.assert(
    fc.asyncProperty(damaged([branched(), plain]), async (elements) => {
      const file: unknown[] = [branched(), ...(Array.isArray(elements) ? elements : [elements])];
      const { reading, sums } = await readTexts(JSON.stringify(file));
      expect(sums).toEqual(reading.totals);
      expect(sums.conversation).toBe(file.length);
      expect(sums.message).toBe(
        file.reduce<number>((count, element) => {
          const mapping: unknown = Object(element)["mapping"];
          const isMapping = typeof mapping === "object" && !Array.isArray(mapping);
          const nodes: unknown[] = isMapping ? Object.values(Object(mapping)) : [];
          return (
            count +
            nodes.filter(
              (entry) => !Array.isArray(entry) && (Object(entry)["message"] ?? null) !== null,
            ).length
          );
        }, 0),
      );
    }),
    { numRuns: 500 },
  );
});

test("whatever is damaged in every fragment and in the route's answer, nothing throws and the sums agree", async () => {
  await fc.assert(
    fc.asyncProperty(damaged([allFragments()]), damaged(answer()), async (elements, single) => {
      const { reading, sums } = await readValues([branched()], answer(), elements, single);
      expect(sums).toEqual(reading.totals);
    }),
    { numRuns: 300 },
  );
});
