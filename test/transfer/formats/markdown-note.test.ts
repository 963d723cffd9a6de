import fc from "fast-check";
import { expect, test } from "vitest";
import { markdownNote, mem0Markdown } from "../../../src/transfer/formats/markdown-note.ts";
import { readTexts } from "../fixtures/reading.ts";

const NOTE = [
  "---",
  "title: 'Hives: winter'",
  "type: note",
  "# a comment",
  "tags:",
  "  - bees",
  '- "#winter"',
  "schema:",
  "  nested: passed over",
  "permalink: farm/hives-winter",
  "created: 2026-10-01T08:00:00Z",
  "---",
  "",
  "- [method] Close the entrance #wind (in October)",
  "- part_of [[Farm]]",
  "",
].join("\r\n");

test("a note is one memory, with its title, its tags and its permalink as its id", async () => {
  const { reading, memories, sums } = await readTexts(`\uFEFF${NOTE}`);
  expect(reading.recognised).toMatchObject([
    { format: "Markdown note with front matter", source: "basic_memory" },
  ]);
  expect(memories).toEqual([
    {
      source: "basic_memory",
      originId: "farm/hives-winter",
      content:
        "# Hives: winter\n\n- [method] Close the entrance #wind (in October)\n- part_of [[Farm]]",
      tags: ["bees", "winter"],
      createdAt: Date.UTC(2026, 9, 1, 8),
    },
  ]);
  expect(sums).toEqual({ conversation: 0, message: 0, memory: 1 });
});

test("a title that the text begins with is not said twice, a note without text is empty, and one whose front matter never ends is cut off", async () => {
  const { memories, skipped } = await readTexts(
    "---\ntitle: Rye\ntags: [bread, 'whole grain', bread]\n---\n\n# Rye\n\nKeeps long.\n\n---\n\nid: is text here\n",
    "---\ntitle: Nothing\n---\n",
    "---\ntitle: Never closed\n",
  );
  expect(memories.map(({ content, tags }) => [content, tags])).toEqual([
    ["# Rye\n\nKeeps long.\n\n---\n\nid: is text here", ["bread", "whole grain"]],
  ]);
  expect(skipped).toEqual({ "memory empty": 1, "memory truncated_file": 1 });
});

test("a file of mem0's plugin holds one memory for each front matter; a rule in a text is none", async () => {
  const { reading, memories, skipped, sums } = await readTexts(
    [
      "---",
      "id: m-1",
      "created_at: 2026-03-01T10:00:00Z",
      "categories: hobbies, places",
      "---",
      "Keeps bees.",
      "",
      "---",
      "Also in winter.",
      "",
      "---",
      "id: m-2",
      "---",
      "---",
      "id: m-3",
      "categories: [food]",
      "---",
      "Eats rye.",
    ].join("\n"),
  );
  expect(reading.recognised).toMatchObject([{ format: "mem0 Markdown file", source: "mem0" }]);
  expect(memories).toEqual([
    {
      source: "mem0",
      originId: "m-1",
      content: "Keeps bees.\n\n---\nAlso in winter.",
      tags: ["hobbies", "places"],
      createdAt: Date.UTC(2026, 2, 1, 10),
    },
    { source: "mem0", originId: "m-3", content: "Eats rye.", tags: ["food"] },
  ]);
  expect(skipped).toEqual({ "memory empty": 1 });
  expect(sums.memory).toBe(3);
});

test("a rule in a mem0 text keeps what is behind it, whatever looks like the fields of a note", async () => {
  for (const text of [
    "Profile:\n---\ntype: vegetarian\nid",
    "Groceries\n---\ntags: keep this\n\n  indented",
    "Books\n---\ntitle: Emma",
    "Passports\n---\nid: in the drawer\n\n- and the old one",
    "Passports\n---\nid: in the drawer\nvegetarian",
  ]) {
    const { memories, skipped } = await readTexts(`---\nid: a\n---\n${text}`);
    expect([memories.map(({ content }) => content), skipped]).toEqual([[text], {}]);
  }
});

test("a front matter that ends with its fence is whole, and one with an empty line behind its fields is text", async () => {
  const { memories, skipped } = await readTexts("---\ntitle: Hives\npermalink: farm/hives\n---");
  expect([memories, skipped]).toEqual([[], { "memory empty": 1 }]);
  const mem0 = await readTexts("---\nid: a\n---\nKeeps bees.\n---\nid: b\n---");
  expect(mem0.memories.map(({ content }) => content)).toEqual(["Keeps bees."]);
  expect(mem0.skipped).toEqual({ "memory empty": 1 });
  const list = "---\ntitle: Shopping\n\n- milk\n- eggs";
  expect((await readTexts(list)).memories.map(({ content }) => content)).toEqual([list]);
});

test("a rule at the beginning is no front matter", async () => {
  await expect(readTexts("---\nOnly text below a line\n")).rejects.toMatchObject({
    code: "unsupported_format",
  });
});

test("any text is read, and each front matter with an id is one memory", async () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom("---", "--- ", "id:", "categories: [", "tags: []", "- x", "__proto__: 1"),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.join("\n");
      expect(markdownNote.read(text)).toHaveLength(1);
      expect(mem0Markdown.read(`---\nid: a\n---\n${text}`)[0]).toMatchObject({
        type: expect.stringMatching(/memory|skipped/),
      });
    }),
  );
  const { sums } = await readTexts("---\nid: a\n---\n---\n".repeat(100_000));
  expect(sums.memory).toBe(100_000);
});
