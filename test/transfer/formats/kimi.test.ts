import fc from "fast-check";
import { expect, test } from "vitest";
import { damaged } from "../fixtures/damage.ts";
import { branched, message, shared, text } from "../fixtures/kimi.ts";
import { lines, readValues } from "../fixtures/reading.ts";

test("a page of messages is the way to the newest, named by what was asked first", async () => {
  const { conversations, skipped, sums, records } = await readValues(branched());
  expect(conversations).toEqual([
    {
      source: "kimi",
      originId: "first message q1",
      title: "What boils water?",
      createdAt: Date.UTC(2026, 8, 20, 8, 0, 1, 123),
      updatedAt: Date.UTC(2026, 8, 20, 8, 0, 5, 123),
      messages: [
        {
          originId: "q1",
          role: "user",
          text: "What boils\nwater?",
          createdAt: Date.UTC(2026, 8, 20, 8, 0, 1, 123),
          attachments: [],
        },
        {
          originId: "a2",
          role: "assistant",
          text: "A kettle.\n\nAnd tea.",
          createdAt: Date.UTC(2026, 8, 20, 8, 0, 5, 123),
          attachments: [],
        },
      ],
    },
  ]);
  expect(skipped).toEqual({ "message other_branch": 1 });
  expect(sums).toEqual({ conversation: 1, message: 3, memory: 0 });
  expect(JSON.stringify(records)).not.toContain("NEVER IMPORT");
});

test("a chat that went on is the same conversation, and the longer copy is imported", async () => {
  const later = branched();
  const messages: unknown[] = [
    message("q2", "a2", "user", [text("And after that?")], 9),
    ...(Array.isArray(later["messages"]) ? later["messages"] : []),
  ];
  const { conversations, skipped } = await readValues(branched(), { ...later, messages });
  expect(conversations.map(({ originId, messages: read }) => [originId, read.length])).toEqual([
    ["first message q1", 3],
  ]);
  expect(skipped).toMatchObject({
    "conversation duplicate_in_file": 1,
    "message duplicate_in_file": 2,
  });
});

test("a shared chat has a name, and blocks are taken or left out for their reason", async () => {
  const { conversations, skipped, sums, records } = await readValues(shared());
  expect(conversations[0]).toMatchObject({
    originId: "kettles",
    title: "Kettles",
    createdAt: Date.UTC(2026, 8, 20, 7),
    updatedAt: Date.UTC(2026, 8, 20, 9),
  });
  expect(lines(conversations[0])).toEqual(["user: Which kettle?", "assistant: The copper one."]);
  expect(skipped).toEqual({
    "message system": 1,
    "message reasoning": 1,
    "message tool": 1,
    "message unsupported": 2,
    "message empty": 2,
    "message unreadable": 3,
  });
  expect(sums).toEqual({ conversation: 1, message: 12, memory: 0 });
  expect(JSON.stringify(records)).not.toMatch(/NEVER.IMPORT/);
});

test("without ids and times the order of the file is kept", async () => {
  const { conversations } = await readValues({
    messages: [
      { role: "assistant", blocks: [text("Hello.")], createTime: "never" },
      { role: "user", blocks: [text("Hello\ud800.\0")] },
    ],
  });
  expect(conversations[0]).toMatchObject({
    originId: null,
    title: "Hello\uFFFD.",
    createdAt: null,
    updatedAt: null,
  });
  expect(lines(conversations[0])).toEqual(["assistant: Hello.", "user: Hello\uFFFD."]);
});

test("a chain of 20,000 messages is one conversation", async () => {
  const messages = Array.from({ length: 20_000 }, (_, index) =>
    message(`${index}`, index === 0 ? "" : `${index - 1}`, "user", [text(`turn ${index}`)]),
  );
  const { conversations } = await readValues({ messages: messages.toReversed() });
  expect(conversations[0]?.messages).toHaveLength(20_000);
  expect(conversations[0]?.messages.at(-1)?.text).toBe("turn 19999");
});

test("whatever is damaged, nothing throws and every item is counted once", async () => {
  await fc.assert(
    fc.asyncProperty(damaged([branched(), shared()]), async (elements) => {
      const file: unknown[] = [branched(), ...(Array.isArray(elements) ? elements : [elements])];
      const { reading, sums } = await readValues(file);
      expect(sums).toEqual(reading.totals);
      expect(sums.conversation).toBe(file.length);
      expect(sums.message).toBe(
        file.reduce<number>((count, element) => count + listed(element).length, 0),
      );
    }),
    { numRuns: 500 },
  );
});

/** The messages of an element, found without the reader. */
function listed(element: unknown): unknown[] {
  const isObject = (value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject(element)) return [];
  const share: unknown = Object(element)["share"];
  const messages: unknown = Object(isObject(share) ? share : element)["messages"];
  return Array.isArray(messages) ? messages : [];
}
