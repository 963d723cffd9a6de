import fc from "fast-check";
import { expect, test } from "vitest";
import { readExport } from "../../src/transfer/read.ts";
import { expandZips, SERVER_LIMITS } from "../../src/transfer/unzip.ts";
import { chunked } from "./fixtures/bytes.ts";
import * as chatgpt from "./fixtures/chatgpt.ts";
import * as claude from "./fixtures/claude.ts";
import { collect, lines, readTexts, readValues } from "./fixtures/reading.ts";
import { zipOf } from "./fixtures/zip.ts";

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

test("ChatGPT's shards in one upload are one export: each conversation once, and a memory that both repeat once", async () => {
  const shards = [
    [garden(1_790_000_100, "Old"), chatgpt.withMemories("first")],
    [garden(1_790_000_300, "Latest"), chatgpt.withMemories("second")],
  ];
  const files = shards.map((shard, at) => ({
    name: `chatgpt/conversations-00${at}.json`,
    bytes: JSON.stringify(shard),
  }));
  const { reading, conversations, memories, skipped, sums } = await collect(
    await readExport(files),
  );
  expect(reading.recognised).toMatchObject(
    files.map(({ name }) => ({ outcome: "read", format: "ChatGPT export", name })),
  );
  expect(conversations.map((one) => [one.originId, ...lines(one)])).toEqual([
    ["first", "user: I moved to Brecon.", "assistant: Congratulations!"],
    ["garden", "user: What grows?", "assistant: Latest"],
    ["second", "user: I moved to Brecon.", "assistant: Congratulations!"],
  ]);
  expect(memories.map(({ content }) => content)).toEqual([
    "Has a daughter named Elin.",
    "Runs on Tuesdays,\nif it is dry.",
    "Lives in Brecon.",
  ]);
  expect(skipped).toMatchObject({ "conversation duplicate_in_file": 1 });
  expect(sums).toEqual(reading.totals);
});

test("Claude's zips of conversations, memories and projects in one upload are one export: memories have the names of their projects", async () => {
  const parts = {
    conversations: [claude.branched()],
    memories: [claude.memories()],
    projects: [claude.project()],
  };
  const zips = await Promise.all(
    Object.entries(parts).map(async ([name, content]) => {
      const zip = await zipOf([{ name: `${name}.json`, content: JSON.stringify(content) }]);
      return new File([zip], `${name}-000.zip`);
    }),
  );
  // The projects stand last, and name the memories all the same.
  const files = await expandZips(zips, SERVER_LIMITS);
  const { reading, conversations, memories, sums } = await collect(await readExport(files));
  expect(reading.recognised).toMatchObject([
    { name: "conversations-000.zip/conversations.json", format: "Claude conversations" },
    { name: "memories-000.zip/memories.json", format: "Claude memories" },
    { name: "projects-000.zip/projects.json", format: "Claude projects" },
  ]);
  expect([...reading.accounts.keys()]).toEqual(["account-1"]);
  expect(conversations.map(({ originId }) => originId)).toEqual(["bread"]);
  expect(lines(conversations[0])).toEqual(["user: Rye or wheat?", "assistant: Rye."]);
  expect(memories.map(({ content, project }) => [content, project])).toEqual([
    ["Elin is a surveyor.", undefined],
    ["Uses QGIS", undefined],
    ["Prefers metric units", undefined],
    ["Lives in Brecon\nwith two cats.", undefined],
    ["A map of hedges.", "Hedges"],
    ["Unnamed.", "Claude project project-"],
    ["Tomos is her brother.", undefined],
    ["Cite your sources.", "Hedges"],
    ["Hawthorn, hazel.", "Hedges"],
  ]);
  expect(sums).toEqual(reading.totals);
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
