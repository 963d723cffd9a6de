import fc from "fast-check";
import { expect, test } from "vitest";
import { markWords, matchedWords, opening, snippet } from "../../src/search/snippet.ts";
import { tokenizeQuery } from "../../src/search/tokenize.ts";

const asked = (query: string) => new Set(tokenizeQuery(query).flatMap(({ tokens }) => tokens));
const filler = "Lorem ipsum dolor sit amet consectetur adipiscing elit. ".repeat(20);

test("a short text is shown whole", () => {
  expect(snippet(markWords("Deploys to Fly.io.", asked("deploy")), 100)).toBe("Deploys to Fly.io.");
});

test("the stretch with the most of the query is shown, cut at words", () => {
  const text = `deploy ${filler}we deploy the dashboard on Fridays ${filler}`;
  expect(
    snippet(markWords(text, asked("when do we deploy the dashboard")), 60),
  ).toMatchInlineSnapshot(`"…elit. we deploy the dashboard on Fridays Lorem ipsum dolor…"`);
});

test("a text in which nothing matches is shown from its beginning", () => {
  expect(snippet(markWords(filler, asked("zebra")), 30)).toBe("Lorem ipsum dolor sit amet…");
});

test("a match at the end is shown up to the end", () => {
  expect(snippet(markWords(`${filler}Zebra!`, asked("zebra")), 24)).toMatchInlineSnapshot(
    `"…elit. Zebra!"`,
  );
});

test("a text without blanks is cut between letters", () => {
  const text = `${"天地玄黄宇宙洪荒".repeat(30)}喜欢深色模式${"日月盈昃辰宿列张".repeat(30)}`;
  const shown = snippet(markWords(text, asked("深色模式")), 20);
  expect(shown).toMatch(/^….*喜欢深色模式.*…$/u);
  expect(shown).toHaveLength(20);
});

test("the words are shown as they were written, once, in order", () => {
  const text = "Café Zoë: deploying Next.js with TypeScript; DEPLOYING it to the cafe";
  expect(matchedWords(markWords(text, asked("cafe deploy next.js typescript")))).toEqual([
    "Café",
    "deploying",
    "Next.js",
    "TypeScript",
    "cafe",
  ]);
});

test("overlapping pairs of letters are shown as one word", () => {
  expect(matchedWords(markWords("他喜欢深色模式的界面", asked("深色模式")))).toEqual(["深色模式"]);
  expect(matchedWords(markWords("三毛猫を飼っている", asked("猫")))).toEqual(["猫"]);
});

test("at most eight words are named", () => {
  const text = Array.from({ length: 20 }, (_, number) => `word${number}`).join(" ");
  expect(matchedWords(markWords(text, asked(text)))).toHaveLength(8);
});

const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 12 }),
      fc.constantFrom("deploy ", "deploy", "深色模式", "😀", "😀".repeat(40), " ", "a".repeat(90)),
    ),
    { maxLength: 40 },
  )
  .map((pieces) => pieces.join("").toWellFormed());

test("any text gives a well-formed part of itself within the limit", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 2, max: 120 }), (whole, maxChars) => {
      const shown = snippet(markWords(whole, asked("deploy 深色 😀")), maxChars);
      expect(shown.length).toBeLessThanOrEqual(maxChars);
      expect(shown.isWellFormed()).toBe(true);
      if (whole.length > maxChars) {
        expect(whole).toContain(shown.replace(/^…/u, "").replace(/…$/u, ""));
      } else {
        expect(shown).toBe(whole);
      }
    }),
    { numRuns: 3_000 },
  );
});

test("a text that holds a word of the query shows it", () => {
  fc.assert(
    fc.property(fc.nat(300), fc.nat(300), (before, after) => {
      const text = `${"lorem ".repeat(before)}Zebra ${"ipsum ".repeat(after)}`;
      expect(snippet(markWords(text, asked("zebra")), 40)).toContain("Zebra");
    }),
  );
});

test("an opening is the snippet of a text in which nothing matches, whatever follows", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 2, max: 120 }), (text, maxChars) => {
      expect(opening(text, maxChars)).toBe(snippet(markWords(text, new Set()), maxChars));
    }),
    { numRuns: 3_000 },
  );
});
