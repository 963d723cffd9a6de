import fc from "fast-check";
import { expect, test } from "vitest";
import { openWordTable } from "../../src/search/word-table.ts";

test("a word is found wherever it stands, and no other word for it", () => {
  const word = fc.string({ maxLength: 6, unit: "grapheme" });
  fc.assert(
    fc.property(fc.uniqueArray(word), word, word, (words, before, asked) => {
      const table = openWordTable<string>(1_000);
      for (const one of words) table.set(one, one);
      const text = `${before}${asked} and more`;
      const found = table.get(text, before.length, before.length + asked.length);
      expect(found).toBe(words.includes(asked) ? asked : null);
    }),
  );
});

test("a full table keeps what it has", () => {
  const table = openWordTable<number>(1);
  table.set("one", 1);
  table.set("two", 2);
  expect(table.get("one two", 0, 3)).toBe(1);
  expect(table.get("one two", 4, 7)).toBeNull();
});
