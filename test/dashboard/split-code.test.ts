import fc from "fast-check";
import { expect, test } from "vitest";
import { splitCode } from "../../apps/dashboard/pages/conversation/split-code.ts";

test("fenced blocks and what stands between backticks are code, all else is words", () => {
  expect(
    splitCode(
      "Run `npm test`:\n```ts title\nconst a = `b`;\n\n// ~~~\n```\nDone ` or not\n~~~\nopen",
    ),
  ).toEqual([
    { kind: "words", text: "Run " },
    { kind: "code", text: "npm test" },
    { kind: "words", text: ":" },
    { kind: "block", text: "const a = `b`;\n\n// ~~~", language: "ts" },
    { kind: "words", text: "Done ` or not" },
    { kind: "block", text: "open", language: "" },
  ]);
});

test("a longer fence holds a shorter one", () => {
  expect(splitCode("````\n```\nin\n```\n````")).toEqual([
    { kind: "block", text: "```\nin\n```", language: "" },
  ]);
});

test("of any text nothing is lost but fences and backticks, and nothing is added", () => {
  const texts = fc
    .array(fc.oneof(fc.constantFrom("`", "```", "~~~", "\n", " ", "```js\n"), fc.string()))
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(texts, (text) => {
      let at = 0;
      for (const part of splitCode(text)) {
        const found = text.indexOf(part.text, at);
        expect(found).toBeGreaterThanOrEqual(at);
        expect(text.slice(at, found)).toMatch(/^(?:[`~\s].*|\s*)$/s);
        at = found + part.text.length;
      }
      expect(text.slice(at)).toMatch(/^(?:[`~\s].*|\s*)$/s);
    }),
  );
});
