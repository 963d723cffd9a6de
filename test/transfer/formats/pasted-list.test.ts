import fc from "fast-check";
import { expect, test } from "vitest";
import {
  isDatedList,
  pastedList,
  readPastedList,
} from "../../../src/transfer/formats/pasted-list.ts";

/** "heading: text" of each memory. */
const listed = (text: string) =>
  readPastedList(text).map(({ content, tags }) => [...tags, content].join(": "));

test("of the answer to Claude's import prompt only the code block is read, with its dates", () => {
  const answer = [
    "Here is everything I have stored:",
    "",
    "```text",
    "[2026-05-02] - Prefers concise answers.",
    "[unknown] - Bakes with spelt, never rye",
    "[2026-06] - Works at the farm shop - as a baker - on Fridays",
    "- Lives in Brecon",
    "```",
    "",
    "```",
    "short",
    "```",
    "That is the complete set.",
  ].join("\r\n");
  expect(readPastedList(answer)).toEqual([
    {
      source: "paste",
      originId: null,
      content: "Prefers concise answers.",
      tags: [],
      createdAt: Date.UTC(2026, 4, 2),
    },
    { source: "paste", originId: null, content: "Bakes with spelt, never rye", tags: [] },
    {
      source: "paste",
      originId: null,
      content: "Works at the farm shop - as a baker - on Fridays",
      tags: [],
      createdAt: Date.UTC(2026, 5, 1),
    },
    { source: "paste", originId: null, content: "Lives in Brecon", tags: [] },
  ]);
});

test("ordinals, bullets, bare sentences and headings are told apart, and equal lines collapse", () => {
  const answer = [
    "Sure, here’s what I remember about you:",
    "",
    "## Work ##",
    "1. [2026-05-02]. The user bakes bread.",
    "2) - Sells it at 5 % - or less",
    "**Home:**",
    "The user lives in Brecon.",
    "The user lives in Brecon.",
    "***",
    "- **Food**",
    "  • Dislikes [dried] fruit",
    "  * Allergies: nuts",
    "You have two cats.",
    "I don't have a car.",
    "",
    "Would you like me to change any of these?",
    "Let me know.",
  ].join("\n");
  expect(listed(answer)).toEqual([
    "Work: The user bakes bread.",
    "Work: Sells it at 5 % - or less",
    "Home: The user lives in Brecon.",
    "Food: Dislikes [dried] fruit",
    "Food: Allergies: nuts",
    "Food: You have two cats.",
    "Food: I don't have a car.",
  ]);
});

test("a date that is none, a bracket that is no date, and dates with nothing behind them", () => {
  const [broken, bracket, ...cut] = readPastedList(
    "[2026-13-45] - Impossible\n[work] - stays\n[2026-01-01] - \n[2026-01-01",
  );
  expect(broken).toEqual({ source: "paste", originId: null, content: "Impossible", tags: [] });
  expect(bracket?.content).toBe("[work] - stays");
  expect(cut).toEqual([]);
});

test("numbers are memories, wherever they stand", () => {
  for (const list of ["- 1984\n- 2001", "1984\n2001", "- 2001\n1984", "- 1984\n- 7", "7\n2"]) {
    const numbers = list.replaceAll("- ", "").split("\n");
    expect(listed(`Favourite years:\n${list}`)).toEqual(
      numbers.map((number) => `Favourite years: ${number}`),
    );
    expect(pastedList.read(list).map(({ type }) => type)).toEqual(["memory", "memory"]);
  }
  expect(listed("```\n- One\n2\n```")).toEqual(["One", "2"]);
  expect(listed("1. One\n[2026\n2. Two")).toEqual(["One", "[2026", "Two"]);
});

test("a last line with no more than a part of an ordinal or a date is left out and counted", () => {
  for (const cut of ["2", "2.", "2)", "[2026-0", "- [2026", "[unkn", "2. [2026-01-01"]) {
    const records = pastedList.read(`1. One\n${cut}\n`);
    expect([cut, records]).toMatchObject([
      cut,
      [
        { type: "memory", memory: { content: "One" } },
        { type: "skipped", kind: "memory", reason: "truncated_file", count: 1 },
      ],
    ]);
  }
});

test("a code block that is not closed is read to the end, an empty one not at all", () => {
  expect(listed("Before\n```\n- One\n- Two")).toEqual(["One", "Two"]);
  expect(listed("- One\n```\n```\n- Two")).toEqual(["One", "Two"]);
  expect(readPastedList("")).toEqual([]);
});

test("only a list whose every memory has its date, or says that none is known, is told from other text", () => {
  for (const list of [
    "[2026-05-02] - Prefers tea.\n[unknown] - Bakes bread",
    "Here it is:\n```\n# Work\n[2026-05] - Sells bread\n\n- [unknown] - Lives in Brecon\n```\nThat is all.",
    "[2026-05-02] - Prefers tea.",
  ]) {
    expect([list, isDatedList(list)]).toEqual([list, true]);
  }
  for (const other of [
    "",
    "Prefers tea.",
    "- Prefers tea.\n- Bakes bread",
    "# Work",
    "[2026-05-02] - Prefers tea.\nThe meeting was long, and nothing came of it.",
    "[2026-05-02 10:00:00] - Server started",
    "[INFO] - Server started",
    "```\nconst list = [1];\n```\n[2026-05-02] - Prefers tea.",
  ]) {
    expect([other, isDatedList(other)]).toEqual([other, false]);
  }
});

test("any text is a list of distinct lines, and long ones take no time", () => {
  const line = fc.oneof(fc.string(), fc.constantFrom("```", "[", "- ", "1. ", "# ", "**x**", "\0"));
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.join("\n");
      const contents = readPastedList(text).map(({ content }) => content);
      expect(new Set(contents).size).toBe(contents.length);
      const records = pastedList.read(text);
      const memories = records.filter(({ type }) => type === "memory");
      expect(memories).toHaveLength(contents.length);
      expect(records.length - memories.length).toBeLessThanOrEqual(1);
    }),
  );
  for (const hostile of ["- ", "[", "#", "*", "?", " ", "```\n", "1. ", "： "]) {
    expect(readPastedList(`x${hostile.repeat(300_000)}x`).length).toBeLessThanOrEqual(1);
    expect(readPastedList(hostile.repeat(300_000)).length).toBeLessThanOrEqual(1);
  }
});
