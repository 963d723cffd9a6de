import fc from "fast-check";
import { expect, test } from "vitest";
import {
  allBlocks,
  branched,
  conversation,
  designChat,
  memories,
  message,
  project,
} from "../fixtures/claude.ts";
import { damaged } from "../fixtures/damage.ts";
import { lines, readTexts, readValues } from "../fixtures/reading.ts";

test("a conversation is the newest branch; null messages and the old wording are counted", async () => {
  const { conversations, skipped, sums } = await readValues([branched(), conversation("none", [])]);
  expect(conversations).toEqual([
    {
      source: "claude",
      originId: "bread",
      title: "Talk bread",
      createdAt: Date.UTC(2026, 8, 20, 8),
      updatedAt: Date.UTC(2026, 8, 20, 9),
      messages: [
        {
          originId: "q1-edited",
          role: "user",
          text: "Rye or wheat?",
          createdAt: Date.UTC(2026, 8, 20, 8, 3),
          attachments: [],
        },
        {
          originId: "a2",
          role: "assistant",
          text: "Rye.",
          createdAt: Date.UTC(2026, 8, 20, 8, 4),
          attachments: [],
        },
      ],
    },
  ]);
  expect(skipped).toEqual({
    "conversation empty": 1,
    "message unreadable": 1,
    "message other_branch": 2,
  });
  expect(sums).toEqual({ conversation: 2, message: 5, memory: 0 });
});

test("a browser extension's single object names its leaf and its model", async () => {
  const { conversations } = await readValues({
    ...branched(),
    current_leaf_message_uuid: "a1",
    model: "claude-6",
  });
  expect(lines(conversations[0])).toEqual(["user: Rye or spelt?", "assistant: Spelt."]);
  expect(conversations[0]?.messages[1]?.model).toBe("claude-6");
});

test("blocks are taken or left out for their reason, and injected prompts never appear", async () => {
  const { conversations, skipped, sums, records } = await readValues([allBlocks()]);
  expect(lines(conversations[0])).toEqual([
    "user: ",
    "assistant: Here.\n\nAnd more.",
    "user: Encoded twice",
    "assistant: Only text",
  ]);
  expect(conversations[0]?.messages.map(({ attachments }) => attachments)).toEqual([
    [{ name: "notes.txt", text: "water daily" }, { name: "photo.png" }],
    [{ name: "Plan", text: "1. Dig" }],
    [],
    [],
  ]);
  expect(skipped).toEqual({
    "message tool": 1,
    "message reasoning": 1,
    "message hidden": 1,
    "message media_only": 1,
    "message unsupported": 1,
    "message empty": 1,
  });
  expect(sums.message).toBe(10);
  expect(JSON.stringify(records)).not.toMatch(/NEVER IMPORT|date note|not supported on your/);
});

test("a message that stands twice is taken once, and senders that are not known are counted", async () => {
  const { conversations, skipped } = await readValues([
    conversation("twice", [
      message("m", "human", "Once"),
      message("m", "human", "Once"),
      message("n", "critic", "No"),
      { uuid: "o" },
    ]),
  ]);
  expect(lines(conversations[0])).toEqual(["user: Once"]);
  expect(skipped).toEqual({
    "message duplicate_in_file": 1,
    "message unsupported": 1,
    "message unreadable": 1,
  });
});

test("memories are its paragraphs and bullets, under their heading and the project's name", async () => {
  const read = await readValues(memories(), project());
  expect(
    read.memories.slice(0, 7).map(({ content, tags, project: name }) => [content, tags, name]),
  ).toEqual([
    ["Elin is a surveyor.", ["Work context"], undefined],
    ["Uses QGIS", ["Work context"], undefined],
    ["Prefers metric units", ["Work context"], undefined],
    ["Lives in Brecon\nwith two cats.", ["Home"], undefined],
    ["A map of hedges.", ["Purpose"], "Hedges"],
    ["Unnamed.", [], "Claude project project-"],
    ["Tomos is her brother.", ["tomos"], undefined],
  ]);
  expect(read.memories[6]?.updatedAt).toBe(Date.UTC(2026, 8, 1));
  expect(read.sums.memory).toBe(13);
});

test("the old memories file is a list, and equal paragraphs are one memory and duplicates", async () => {
  const { memories: found, skipped } = await readValues([
    { conversations_memory: "One.\n\nTwo.\n\nOne.", account_uuid: "account-1" },
    null,
  ]);
  expect(found.map(({ content }) => content)).toEqual(["One.", "Two."]);
  expect(skipped).toEqual({ "memory duplicate_in_file": 1, "memory unreadable": 1 });
});

test("300,000 bullets and a heading of a million spaces are read in good time", async () => {
  const bullets = Array.from({ length: 300_000 }, (_, index) => `- b${index}`).join("\n");
  const { memories: found } = await readValues({
    conversations_memory: `${bullets}\n\n# a${" ".repeat(1_000_000)}b`,
  });
  expect(found).toHaveLength(300_001);
});

test("a project gives its instructions and its small documents", async () => {
  const { memories: found, skipped, sums } = await readValues([project()]);
  expect(found).toEqual([
    {
      source: "claude",
      project: "Hedges",
      createdAt: Date.UTC(2026, 7, 1),
      updatedAt: Date.UTC(2026, 7, 2),
      originId: "project-1/prompt_template",
      content: "Cite your sources.",
      tags: [],
      category: "instructions",
    },
    {
      source: "claude",
      project: "Hedges",
      createdAt: Date.UTC(2026, 7, 1),
      updatedAt: Date.UTC(2026, 7, 2),
      originId: "project-1/doc-1",
      content: "Hawthorn, hazel.",
      tags: ["species.md"],
      category: "knowledge",
    },
  ]);
  expect(skipped).toEqual({ "memory too_large": 1, "memory empty": 1, "memory unreadable": 1 });
  expect(sums).toEqual({ conversation: 0, message: 0, memory: 5 });
});

test("a design chat keeps who said what, also what was called in between", async () => {
  const { conversations, skipped, records } = await readValues(designChat());
  expect(conversations[0]).toMatchObject({ originId: "design-1", project: "Farm shop" });
  expect(lines(conversations[0])).toEqual([
    "user: Draw a sign",
    "assistant: Here it is.\n\n> Larger,\n> please",
  ]);
  expect(skipped).toEqual({ "message tool": 1, "message unreadable": 1 });
  expect(JSON.stringify(records)).not.toContain("NEVER IMPORT");
});

test("whatever is damaged, nothing throws and every item is counted once", async () => {
  const whole = [branched(), allBlocks(), conversation("none", [])];
  await fc.assert(
    fc.asyncProperty(damaged(whole), async (elements) => {
      const file: unknown[] = [branched(), ...(Array.isArray(elements) ? elements : [elements])];
      const { reading, sums } = await readTexts(JSON.stringify(file));
      expect(sums).toEqual(reading.totals);
      expect(sums.conversation).toBe(file.length);
      expect(sums.message).toBe(
        file.reduce<number>((count, element) => {
          const messages: unknown = Object(element)["chat_messages"];
          return count + (Array.isArray(messages) ? messages.length : 0);
        }, 0),
      );
    }),
    { numRuns: 500 },
  );
});

test("whatever is damaged in memories, projects and design chats, nothing throws and the sums agree", async () => {
  await fc.assert(
    fc.asyncProperty(
      damaged([memories()]),
      damaged([project()]),
      damaged([designChat()]),
      async (...files) => {
        const { reading, sums } = await readValues([memories()], ...files);
        expect(sums).toEqual(reading.totals);
      },
    ),
    { numRuns: 300 },
  );
});

test("a chain of 20,000 messages is one chat, in any order of the file, and a circle ends", async () => {
  const chain = Array.from({ length: 20_000 }, (_, index) =>
    message(`m${index}`, index % 2 === 0 ? "human" : "assistant", `turn ${index}`, {
      parent_message_uuid: index === 0 ? "nobody" : `m${index - 1}`,
    }),
  );
  const circle = [
    message("a", "human", "one", { parent_message_uuid: "b" }),
    message("b", "assistant", "two", { parent_message_uuid: "a" }),
  ];
  const { conversations, sums } = await readValues([
    conversation("long", chain.toReversed()),
    conversation("circle", circle),
  ]);
  expect(lines(conversations[0])).toHaveLength(20_000);
  expect(lines(conversations[0]).at(-1)).toBe("assistant: turn 19999");
  expect(conversations[1]?.messages).toHaveLength(2);
  expect(sums.message).toBe(20_002);
});
