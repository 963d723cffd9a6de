import fc from "fast-check";
import { expect, test } from "vitest";
import { readExport } from "../../../src/transfer/read.ts";
import { damaged } from "../fixtures/damage.ts";
import { allContents, branched, chat, message } from "../fixtures/open-webui.ts";
import { collect, lines, readTexts, readValues } from "../fixtures/reading.ts";

test("a chat is the way to its current message, whoever else answered", async () => {
  const { conversations, skipped, sums } = await readValues([branched()]);
  expect(conversations).toEqual([
    {
      source: "open_webui",
      originId: "soup",
      title: "About soup",
      createdAt: 1_790_000_000_000,
      updatedAt: 1_790_000_600_000,
      messages: [
        {
          originId: "q1",
          role: "user",
          text: "How long does soup keep?",
          createdAt: 1_790_000_001_000,
          attachments: [],
        },
        {
          originId: "a1",
          role: "assistant",
          text: "Three days.",
          createdAt: 1_790_000_002_000,
          model: "mistral-5",
          attachments: [],
        },
        {
          originId: "q2",
          role: "user",
          text: "Frozen?",
          createdAt: 1_790_000_004_000,
          attachments: [],
        },
        {
          originId: "a2",
          role: "assistant",
          text: "Three months.",
          createdAt: 1_790_000_005_000,
          model: "llama4:latest",
          attachments: [],
        },
      ],
    },
  ]);
  expect(skipped).toEqual({ "message other_branch": 1 });
  expect(sums).toEqual({ conversation: 1, message: 5, memory: 0 });
});

test("what went before an answer is stripped from it, and from nothing that the person wrote", async () => {
  const { conversations, skipped, sums, records } = await readValues([allContents()]);
  expect(lines(conversations[0])).toEqual([
    'user: Why is this in my answers?\n<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n&gt; (hm)\n</details>',
    "assistant: Because I think.\n\n\nAnd search.",
    'assistant: Write `<details type="reasoning">`.\n<details><summary>Or</summary>this</details>',
    "assistant: Only in the output.",
    "user: In parts",
    "user: ",
  ]);
  expect(conversations[0]?.messages.at(-1)?.attachments).toEqual([
    { name: "menu.txt", text: "Leek soup" },
    { name: "scan.pdf" },
    { name: "cookbook.pdf" },
  ]);
  expect(skipped).toEqual({
    "message system": 1,
    "message tool": 2,
    "message reasoning": 1,
    "message media_only": 1,
    "message empty": 1,
    "message unsupported": 1,
  });
  expect(sums.message).toBe(13);
  expect(JSON.stringify(records)).not.toMatch(/NEVER.IMPORT/);
});

test("a chat without a tree is its list, and one with neither is counted", async () => {
  const listed = chat("list", [message("1", null, "user", "Listed"), message("2", null, "", "?")], {
    history: null,
  });
  const { conversations, skipped } = await readValues([
    branched(),
    listed,
    chat("lost", [], { history: {}, messages: null }),
    chat("empty", []),
    null,
  ]);
  expect(lines(conversations[1])).toEqual(["user: Listed"]);
  expect(skipped).toEqual({
    "message other_branch": 1,
    "message unreadable": 1,
    "conversation unreadable": 2,
    "conversation empty": 1,
  });
});

test("an administrator's export tells whose chats to import", async () => {
  const theirs = {
    ...chat("theirs", [message("1", null, "user", "Theirs")]),
    user_id: "account-2",
  };
  const reading = await readExport([
    { name: "chats.json", bytes: JSON.stringify([branched(), theirs]) },
  ]);
  expect([...reading.accounts.keys()]).toEqual(["account-1", "account-2"]);
  const { conversations, skipped } = await collect(reading, { account: "account-2" });
  expect(conversations.map(lines)).toEqual([["user: Theirs"]]);
  expect(skipped).toMatchObject({ "conversation other_account": 1, "message other_account": 4 });
});

test("keys of objects are data: __proto__ is a message like any other", async () => {
  const text = JSON.stringify([
    chat("hostile", [
      message("constructor", null, "user", "one"),
      message("leaf", "__proto__", "assistant", "three\ud800\0"),
    ]),
  ]).replace(
    '"messages":{',
    `"messages":{"__proto__":${JSON.stringify(message("__proto__", "constructor", "user", "two"))},`,
  );
  const { conversations } = await readTexts(text);
  expect(lines(conversations[0])).toEqual(["user: one", "user: two", "assistant: three\uFFFD"]);
});

test("megabytes of markup without an end are read in good time, and a chain of 20,000 messages too", async () => {
  const hostile = [
    '<details type="reasoning" '.repeat(50_000),
    '<details type="reasoning"\n'.repeat(50_000),
    `${'<details type="tool_calls"></details>'.repeat(30_000)}End.`,
    `<details${" ".repeat(1_000_000)}type`,
    " ".repeat(1_000_000) + "<details>",
  ];
  const chain = Array.from({ length: 20_000 }, (_, index) =>
    message(
      `n${index}`,
      index === 0 ? null : `n${index - 1}`,
      "assistant",
      hostile[index] ?? `turn ${index}`,
    ),
  );
  const { conversations } = await readValues([chat("long", chain, { messages: [] })]);
  const read = conversations[0]?.messages ?? [];
  expect(read).toHaveLength(20_000);
  expect(read.slice(0, 5).map(({ text }, index) => text === hostile[index])).toEqual([
    true,
    true,
    false,
    true,
    true,
  ]);
  expect(read[2]?.text).toBe("End.");
});

test("whatever is damaged, nothing throws and every item is counted once", async () => {
  await fc.assert(
    fc.asyncProperty(damaged([branched(), allContents()]), async (elements) => {
      const file: unknown[] = [branched(), ...(Array.isArray(elements) ? elements : [elements])];
      const { reading, sums } = await readTexts(JSON.stringify(file));
      expect(sums).toEqual(reading.totals);
      expect(sums.conversation).toBe(file.length);
      expect(sums.message).toBe(
        file.reduce<number>((count, element) => count + counted(element), 0),
      );
    }),
    { numRuns: 500 },
  );
});

/** The messages of an element, counted without the reader. */
function counted(element: unknown): number {
  const member = (value: unknown, key: string): unknown =>
    Array.isArray(value) ? undefined : Object(value)[key];
  const entries = (value: unknown): number | null =>
    typeof value === "object" && value !== null ? Object.keys(value).length : null;
  const inner = member(element, "chat");
  return (
    entries(member(member(inner, "history"), "messages")) ?? entries(member(inner, "messages")) ?? 0
  );
}
