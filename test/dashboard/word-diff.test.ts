/** Differences of two texts by words, as the history of a memory shows them. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { wordDiff, type DiffPart } from "../../apps/dashboard/pages/memory/word-diff.ts";

test("a changed word is gone and added, and the rest stays", () => {
  expect(wordDiff("Bakes rye bread.", "Bakes spelt bread.")).toEqual([
    { kind: "same", text: "Bakes " },
    { kind: "gone", text: "rye" },
    { kind: "added", text: "spelt" },
    { kind: "same", text: " bread." },
  ]);
});

test("the parts make up both texts, whatever those are", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fc.constantFrom("rye", " ", "bread", "猫", ".", "\n")).map((words) => words.join("")),
  );
  fc.assert(
    fc.property(text, text, (before, after) => {
      const parts = wordDiff(before, after);
      expect(without("added", parts)).toBe(before);
      expect(without("gone", parts)).toBe(after);
    }),
  );
});

test("texts too long to be compared word by word are replaced between their equal ends", () => {
  const words = (word: string) => `Begin ${`${word} x `.repeat(4_000)}end.`;
  expect(wordDiff(words("a"), words("b")).map(({ kind }) => kind)).toEqual([
    "same",
    "gone",
    "added",
    "same",
  ]);
});

function without(kind: DiffPart["kind"], parts: readonly DiffPart[]): string {
  return parts
    .filter((part) => part.kind !== kind)
    .map(({ text }) => text)
    .join("");
}
