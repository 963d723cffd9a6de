import fc from "fast-check";
import { expect, test } from "vitest";
import { readExport } from "../../src/transfer/read.ts";
import { chunked } from "./fixtures/bytes.ts";
import * as chatgpt from "./fixtures/chatgpt.ts";
import * as claude from "./fixtures/claude.ts";
import { collect, lines, readTexts, readValues } from "./fixtures/reading.ts";

const garden = (updated: number | null, answer: string) =>
  chatgpt.conversation(
    "garden",
    [
      chatgpt.node("q", null, chatgpt.said("user", "What grows?", 1)),
      chatgpt.node("a", "q", chatgpt.said("assistant", answer, 2)),
    ],
    { update_time: updated },
  );

test("of copies in several files the latest is imported, in any order of the files", async () => {
  const copies = [garden(1_790_000_100, "Old"), garden(1_790_000_300, "Latest"), garden(null, "?")];
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(copies, { minLength: 3 }), async (shuffled) => {
      const { conversations, skipped, sums } = await readValues(
        ...shuffled.map((copy) => [copy, chatgpt.slim()]),
      );
      expect(conversations.filter(({ originId }) => originId === "garden").map(lines)).toEqual([
        ["user: What grows?", "assistant: Latest"],
      ]);
      expect(skipped).toEqual({
        "conversation duplicate_in_file": 4,
        "message duplicate_in_file": 8,
        "message hidden": 3,
      });
      expect(sums).toEqual({ conversation: 6, message: 15, memory: 2 });
    }),
  );
});

test("a later copy that cannot be read does not displace one that can", async () => {
  const broken = { ...garden(1_790_000_900, "x"), mapping: null };
  const { conversations, skipped } = await readValues([garden(1_790_000_100, "Sound")], [broken]);
  expect(conversations.map(lines)).toEqual([["user: What grows?", "assistant: Sound"]]);
  expect(skipped).toEqual({ "conversation unreadable": 1 });
});

test("two platforms in one upload stay two", async () => {
  const { conversations, reading } = await readValues(
    [claude.conversation("garden", [claude.message("m", "human", "Hello")])],
    [garden(null, "Moss")],
  );
  expect(conversations.map(({ source }) => source)).toEqual(["claude", "chatgpt"]);
  expect(reading.recognised.map((file) => file.outcome === "read" && file.source)).toEqual([
    "claude",
    "chatgpt",
  ]);
});

test("with an account chosen, what belongs to others is left out", async () => {
  const foreign = claude.conversation("theirs", [claude.message("m", "human", "Hello")], {
    account: { uuid: "account-2" },
  });
  const reading = await readExport([
    { name: "conversations.json", bytes: JSON.stringify([claude.branched(), foreign]) },
  ]);
  expect([...reading.accounts]).toEqual([
    ["account-1", 1],
    ["account-2", 1],
  ]);
  const { conversations, skipped, sums } = await collect(reading, { account: "account-1" });
  expect(conversations.map(({ originId }) => originId)).toEqual(["bread"]);
  expect(skipped).toMatchObject({ "conversation other_account": 1, "message other_account": 1 });
  expect(sums).toEqual(reading.totals);
});

test("a truncated file gives what was complete and is reported", async () => {
  const text = JSON.stringify([garden(null, "Moss"), chatgpt.branched()]);
  const { reading, conversations, skipped } = await readTexts(text.slice(0, -100));
  expect(reading.recognised).toMatchObject([{ outcome: "read", truncated: true }]);
  expect(conversations.map(({ originId }) => originId)).toEqual(["garden"]);
  expect(skipped).toEqual({ "conversation truncated_file": 1 });
});

test("a file cut off anywhere either adds up or is refused as a whole", async () => {
  const text = JSON.stringify([chatgpt.slim(), chatgpt.withMemories("m")]);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: text.length }), async (cut) => {
      try {
        const { reading, sums } = await readTexts(text.slice(0, cut));
        expect(sums).toEqual(reading.totals);
      } catch (error) {
        expect(error).toMatchObject({ code: "unsupported_format" });
      }
    }),
    { numRuns: 200 },
  );
});

test("bytes come as text, as an array, as a stream or as a function that opens one", async () => {
  const text = JSON.stringify([garden(null, "Moss")]);
  for (const bytes of [
    text,
    new TextEncoder().encode(text),
    chunked(text),
    () => chunked(text, 3),
  ]) {
    const { conversations } = await collect(await readExport([{ name: "x", bytes }]));
    expect(conversations.map(lines)).toEqual([["user: What grows?", "assistant: Moss"]]);
  }
});

test("records can be read again, and read the same", async () => {
  const { reading, records } = await readValues([chatgpt.withMemories("m"), garden(null, "Moss")]);
  expect((await collect(reading)).records).toEqual(records);
});
