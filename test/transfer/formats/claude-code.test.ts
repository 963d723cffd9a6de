import fc from "fast-check";
import { expect, test } from "vitest";
import {
  answered,
  asked,
  branched,
  compacted,
  session,
  text,
  toolUse,
} from "../fixtures/claude-code.ts";
import { damaged } from "../fixtures/damage.ts";
import { lines, readTexts } from "../fixtures/reading.ts";
import { asLines } from "../fixtures/server-memory.ts";

const read = (...files: readonly (readonly unknown[])[]) => readTexts(...files.map(asLines));

test("a session is one conversation; an answer of several lines is one message", async () => {
  const { conversations, skipped, sums, records } = await read(session());
  expect(conversations).toEqual([
    {
      source: "claude_code",
      originId: "session-1",
      title: "Counting hedges",
      project: "hedges",
      createdAt: Date.UTC(2026, 9, 1, 9, 1),
      updatedAt: Date.UTC(2026, 9, 1, 9, 6),
      messages: [
        {
          originId: "q1",
          role: "user",
          text: "How many hedges are there?",
          createdAt: Date.UTC(2026, 9, 1, 9, 1),
          attachments: [{ name: "image" }],
        },
        {
          originId: "a1",
          role: "assistant",
          text: "Let me count.",
          createdAt: Date.UTC(2026, 9, 1, 9, 2),
          model: "claude-6",
          attachments: [],
        },
        {
          originId: "queued",
          role: "user",
          text: "Old ones too.",
          createdAt: Date.UTC(2026, 9, 1, 9, 3),
          attachments: [],
        },
        {
          originId: "a5",
          role: "assistant",
          text: "Forty-two.",
          createdAt: Date.UTC(2026, 9, 1, 9, 4),
          model: "claude-6",
          attachments: [],
        },
        {
          originId: "thanks",
          role: "user",
          text: "Thanks.",
          createdAt: Date.UTC(2026, 9, 1, 9, 6),
          attachments: [],
        },
      ],
    },
  ]);
  expect(skipped).toEqual({ "message hidden": 6, "message tool": 2 });
  expect(sums).toEqual({ conversation: 1, message: 13, memory: 0 });
  expect(JSON.stringify(records)).not.toContain("NEVER IMPORT");
});

test("a conversation goes on after each compaction, whether or not it says where", async () => {
  const { conversations, skipped } = await read(compacted());
  expect(conversations.map(lines)).toEqual([
    [
      "user: First question",
      "assistant: First answer",
      "user: Second question",
      "assistant: Second answer",
      "user: Third question",
      "assistant: Third answer",
    ],
  ]);
  expect(conversations[0]?.title).toBe("First question");
  expect(skipped).toEqual({ "message hidden": 2 });
});

test("what stood before a compaction is left with the branch that it stood on", async () => {
  const { conversations, skipped } = await read([
    ...compacted(),
    asked("q2-edited", "a1", 9, "Another question"),
  ]);
  expect(lines(conversations[0])).toEqual([
    "user: First question",
    "assistant: First answer",
    "user: Another question",
  ]);
  expect(skipped).toEqual({ "message hidden": 2, "message other_branch": 4 });
});

test("an edited prompt leaves the old one and its answer on another branch", async () => {
  const { conversations, skipped, sums } = await read(branched());
  expect(lines(conversations[0])).toEqual([
    "user: Rye or spelt?",
    "assistant: Spelt.",
    "user: How long does it keep?",
    "assistant: A week.",
  ]);
  expect(skipped).toEqual({ "message other_branch": 2, "message tool": 1 });
  expect(sums.message).toBe(7);
});

test("the last line tells the branch, not the times; an edited first prompt has no parent", async () => {
  const { conversations, skipped } = await read([
    asked("q1", null, 30, "First words"),
    answered("a1", "q1", 40, "msg-1", text("Answer")),
    asked("q1-edited", null, 2, "Better words"),
  ]);
  expect(conversations.map(lines)).toEqual([["user: Better words"]]);
  expect(skipped).toEqual({ "message other_branch": 2 });
});

test("below a damaged line the conversation goes on", async () => {
  const whole = compacted().slice(0, 2);
  const { conversations, skipped, sums } = await readTexts(
    `${asLines(whole)}\n{"type":"user","uuid":"lost","mess\n${asLines([
      answered("a2", "lost", 4, "msg-2", text("Second answer")),
      null,
      { type: "assistant", uuid: "a3", parentUuid: "a2", message: null, sessionId: "session-1" },
      { type: "telepathy", sessionId: "session-1" },
    ])}\n{"type":"user","uu`,
  );
  expect(lines(conversations[0])).toEqual([
    "user: First question",
    "assistant: First answer",
    "assistant: Second answer",
  ]);
  expect(skipped).toEqual({
    "message unreadable": 3,
    "message unsupported": 1,
    "message truncated_file": 1,
  });
  expect(sums.message).toBe(8);
});

test("without parents the order is that of the file", async () => {
  const own = { sessionId: "s", timestamp: "2026-10-01T09:00:00Z" };
  for (const parent of [{}, { parentUuid: null }]) {
    const { conversations } = await read([
      { ...own, ...parent, type: "user", uuid: "1", message: { role: "user", content: "One" } },
      { ...own, ...parent, type: "assistant", uuid: "2", message: { content: [text("Two")] } },
      { ...own, ...parent, type: "user", message: { content: "Three" } },
    ]);
    expect(lines(conversations[0])).toEqual(["user: One", "assistant: Two", "user: Three"]);
  }
});

test("a file of several sessions is several conversations, and a repeated line counts once more", async () => {
  const other = { sessionId: "session-2", cwd: "C:\\Users\\elin\\orchard\\" };
  const { conversations, skipped } = await read([
    asked("q1", null, 1, "In one"),
    asked("q2", null, 2, "In two", other),
    asked("q1", null, 1, "In one"),
    answered("a1", "q1", 3, "msg-1", text("To one")),
    answered("a2", "q2", 4, "msg-1", text("To two"), other),
    { type: "ai-title", aiTitle: "By the program", sessionId: "session-2" },
    { type: "custom-title", customTitle: "By Elin", sessionId: "session-2" },
  ]);
  expect(conversations.map(({ originId, title, project }) => [originId, title, project])).toEqual([
    ["session-1", "In one", "hedges"],
    ["session-2", "By Elin", "orchard"],
  ]);
  expect(conversations.map(lines)).toEqual([
    ["user: In one", "assistant: To one"],
    ["user: In two", "assistant: To two"],
  ]);
  expect(skipped).toEqual({ "message duplicate_in_file": 1 });
});

test("a subagent's file holds nothing that the person said", async () => {
  const side = { isSidechain: true };
  const { conversations, skipped } = await read([
    asked("q", null, 1, "Search", side),
    answered("a", "q", 2, "msg-1", text("Found"), side),
    answered("b", "a", 2, "msg-1", toolUse("t"), side),
  ]);
  expect(conversations).toEqual([]);
  expect(skipped).toEqual({ "conversation empty": 1, "message hidden": 2 });
});

test("the first prompt gives the title, cut between words", async () => {
  const words = "Please look at the hedges along the northern lane and tell me which are old";
  const titles = await Promise.all(
    [words, "界".repeat(100), "\n\n Short \n prompt"].map(async (prompt) => {
      const { conversations } = await read([asked("q", null, 1, prompt)]);
      return conversations[0]?.title;
    }),
  );
  expect(titles).toEqual([
    "Please look at the hedges along the northern lane and tell…",
    `${"界".repeat(60)}…`,
    "Short prompt",
  ]);
});

test("what the person writes about tags and between them stays", async () => {
  const prompts = [
    "Why does <system-reminder>x</system-reminder> appear here?",
    "<system-reminder>gone</system-reminder>\nMine\n<system-reminder>gone</system-reminder>",
    "<system-reminder>not closed",
    "  kept as it is  ",
  ];
  const { conversations } = await read(
    prompts.map((prompt, index) => asked(`q${index}`, `q${index - 1}`, index, prompt)),
  );
  expect(conversations[0]?.messages.map((message) => message.text)).toEqual([
    prompts[0],
    "Mine",
    prompts[2],
    prompts[3],
  ]);
});

test("20,000 lines in a circle and a text of 100,000 tags are read in good time", async () => {
  const chain = Array.from({ length: 20_000 }, (_, index) =>
    asked(`q${index}`, index === 0 ? "q19999" : `q${index - 1}`, 0, `turn ${index}`),
  );
  const hostile = asked("h", "q19999", 1, "<bash-stdout>".repeat(100_000));
  const closed = asked("c", "h", 1, "</bash-stdout>".repeat(100_000));
  const { conversations } = await read([...chain, hostile, closed]);
  expect(conversations[0]?.messages).toHaveLength(20_002);
});

test("whatever is damaged, nothing throws and every message is counted once", async () => {
  // Without the ids that make several lines one message, every line but the structural one is an item.
  const whole: unknown = JSON.parse(JSON.stringify(compacted()).replaceAll(/"id":"msg-\d",/g, ""));
  const sound = asked("sound", null, 0, "Sound");
  await fc.assert(
    fc.asyncProperty(damaged(whole), async (elements) => {
      const file: unknown[] = [sound, sound, ...(Array.isArray(elements) ? elements : [])];
      const { reading, sums } = await read(file);
      expect(sums).toEqual(reading.totals);
      const structural = file.filter((element) => Object(element)["type"] === "system");
      expect(sums.message).toBe(file.length - structural.length);
    }),
    { numRuns: 300 },
  );
});

test("whatever is damaged in a session with everything in it, the sums agree", async () => {
  const whole = [...session(), ...compacted(), ...branched()];
  await fc.assert(
    fc.asyncProperty(damaged(whole), async (elements) => {
      const file = [asked("sound", null, 0, "Sound"), ...(Array.isArray(elements) ? elements : [])];
      const { reading, sums } = await read(file);
      expect(sums).toEqual(reading.totals);
      expect(sums.message).toBeLessThanOrEqual(file.length);
    }),
    { numRuns: 300 },
  );
});
