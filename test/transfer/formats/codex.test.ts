import fc from "fast-check";
import { expect, test } from "vitest";
import { line, meta, rolledBack, said, session } from "../fixtures/codex.ts";
import { damaged } from "../fixtures/damage.ts";
import { lines, readTexts } from "../fixtures/reading.ts";
import { asLines } from "../fixtures/server-memory.ts";

const read = (...files: readonly (readonly unknown[])[]) => readTexts(...files.map(asLines));

test("a session is what the person and the agent said, without what stands around it", async () => {
  const { conversations, skipped, sums, records } = await read(session());
  expect(conversations).toEqual([
    {
      source: "codex",
      originId: "session-1",
      title: "Which hedge is the oldest?",
      project: "hedges",
      createdAt: Date.UTC(2026, 9, 1, 9, 0),
      updatedAt: Date.UTC(2026, 9, 1, 9, 4),
      messages: [
        {
          originId: null,
          role: "user",
          text: "Which hedge is the oldest?",
          createdAt: Date.UTC(2026, 9, 1, 9, 1),
          attachments: [],
        },
        {
          originId: null,
          role: "assistant",
          text: "The one by the brook.",
          createdAt: Date.UTC(2026, 9, 1, 9, 4),
          model: "gpt-6-codex",
          attachments: [],
        },
        {
          originId: null,
          role: "user",
          text: "And this one?",
          createdAt: Date.UTC(2026, 9, 1, 9, 0),
          attachments: [{ name: "image" }],
        },
      ],
    },
  ]);
  expect(skipped).toEqual({
    "message hidden": 2,
    "message reasoning": 1,
    "message tool": 3,
    "message unsupported": 2,
  });
  expect(sums).toEqual({ conversation: 1, message: 11, memory: 0 });
  expect(JSON.stringify(records)).not.toContain("NEVER IMPORT");
});

test("AGENTS.md is left out, also where the person's words follow it or it does not end", async () => {
  const agents = "# AGENTS.md instructions for /farm\n\n<INSTRUCTIONS>\nx\n</INSTRUCTIONS>";
  const { conversations, skipped } = await read([
    meta("s", "/"),
    said("user", 1, `${agents}\n\n<environment_context>x</environment_context>\n\nMine`),
    said("user", 2, agents.slice(0, -20)),
    said("user", 3, "What is in # AGENTS.md instructions?"),
    said("user", 4, "# Context from my IDE setup:\nmy own heading"),
  ]);
  expect(lines(conversations[0])).toEqual([
    "user: Mine",
    "user: What is in # AGENTS.md instructions?",
    "user: # Context from my IDE setup:\nmy own heading",
  ]);
  expect(conversations[0]).not.toHaveProperty("project");
  expect(skipped).toEqual({ "message hidden": 1 });
});

test("turns that the person took back are another branch", async () => {
  const { conversations, skipped } = await read([
    meta("s", "/farm"),
    said("user", 1, "One"),
    said("assistant", 2, "To one"),
    said("user", 3, "Two"),
    said("assistant", 4, "To two"),
    said("user", 5, "Three"),
    rolledBack(2),
    rolledBack("many"),
    said("user", 6, "Two again"),
    said("assistant", 7, "To two again"),
  ]);
  expect(lines(conversations[0])).toEqual([
    "user: One",
    "assistant: To one",
    "user: Two again",
    "assistant: To two again",
  ]);
  expect(skipped).toEqual({ "message other_branch": 3 });
});

test("a forked session keeps its own id; below messages another description begins another", async () => {
  const { conversations } = await read([
    meta("fork", "/farm/hedges", { forked_from_id: "first" }),
    meta("first", "/farm/other"),
    said("user", 1, "Copied"),
    meta("second", "/farm/orchard"),
    said("user", 2, "In the second"),
    meta("fork", "/farm/hedges"),
    said("user", 3, "In the fork"),
  ]);
  expect(conversations.map(({ originId, project }) => [originId, project])).toEqual([
    ["fork", "hedges"],
    ["second", "orchard"],
  ]);
  expect(conversations.map(lines)).toEqual([
    ["user: Copied", "user: In the fork"],
    ["user: In the second"],
  ]);
});

test("what stands before the description belongs to the session, and a cut-off line costs itself", async () => {
  const { conversations, skipped, sums } = await readTexts(
    `${asLines([said("user", 1, "Early"), meta("s", "/farm"), said("user", 2, "Late")])}\n{"timesta`,
  );
  expect(conversations.map(({ originId }) => originId)).toEqual(["s"]);
  expect(lines(conversations[0])).toEqual(["user: Early", "user: Late"]);
  expect(skipped).toEqual({ "message truncated_file": 1 });
  expect(sums).toEqual({ conversation: 1, message: 3, memory: 0 });
});

test("a file without messages holds no items", async () => {
  const { records } = await read([meta("s", "/farm"), line("turn_context", { model: "gpt-6" })]);
  expect(records).toEqual([]);
});

test("whatever is damaged, nothing throws and every item is counted once", async () => {
  const whole = [...session(), rolledBack(1), said("user", 9, "More")];
  await fc.assert(
    fc.asyncProperty(damaged(whole), async (elements) => {
      const sound = [meta("sound", "/"), said("user", 0, "Sound")];
      const file: unknown[] = [...sound, ...(Array.isArray(elements) ? elements : [])];
      const { reading, sums } = await read(file);
      expect(sums).toEqual(reading.totals);
      expect(sums.message).toBe(file.filter(isItem).length);
    }),
    { numRuns: 300 },
  );
});

const STRUCTURE = ["session_meta", "turn_context", "event_msg", "compacted"];

function isItem(element: unknown): boolean {
  const { type, payload } = Object(element);
  const isSnapshot = type === "response_item" && Object(payload)["type"] === "ghost_snapshot";
  return !isSnapshot && !STRUCTURE.includes(type);
}
