/** Memories as one text for another assistant. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { blockOf } from "../../apps/dashboard/pages/memories/block.ts";

const HEAD = "About me, from my own notes:";

test("each memory is one line, in the order given", () => {
  expect(blockOf([" Keeps bees. ", "Rows\n\n  and sails."], 1_500)).toEqual({
    text: `${HEAD}\n- Keeps bees.\n- Rows and sails.`,
    fitting: 2,
  });
});

test("a text may be as long as the limit and not longer, and what finds no room is not in it", () => {
  const two = ["Keeps bees.", "Keeps goats."];
  const { text } = blockOf(two, 1_500);
  expect(blockOf(two, text.length)).toEqual({ text, fitting: 2 });
  expect(blockOf(two, text.length - 1)).toEqual({ text: `${HEAD}\n- Keeps bees.`, fitting: 1 });
  expect(blockOf(two, HEAD.length)).toEqual({ text: "", fitting: 0 });
  expect(blockOf([], 1_500)).toEqual({ text: "", fitting: 0 });
});

test("one that is too long is passed over, and a shorter one after it is taken", () => {
  expect(blockOf(["Keeps bees.", "W".repeat(1_500), "Keeps goats."], 1_500)).toEqual({
    text: `${HEAD}\n- Keeps bees.\n- Keeps goats.`,
    fitting: 2,
  });
});

test("whatever the memories, the text is within the limit and holds as many whole ones as it says", () => {
  const contents = fc.array(fc.string({ minLength: 1, maxLength: 60 }), { maxLength: 20 });
  fc.assert(
    fc.property(contents, fc.nat(600), (contents, maxChars) => {
      const { text, fitting } = blockOf(contents, maxChars);
      expect(text.length).toBeLessThanOrEqual(maxChars);
      const lines = text.split("\n- ").slice(1);
      expect(lines).toHaveLength(fitting);
      expect(text === "").toBe(fitting === 0);
    }),
  );
});
