/** Search never fails, whatever is typed, in any language; and what was saved is found by its own words. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { callTool, newPerson, type Person } from "../support/people.ts";
import { runs } from "../support/runs.ts";

/** Queries that have broken full-text search somewhere: FTS5's operators, quotes, column names, SQL, and what Unicode allows. */
const HOSTILE = [
  ["AND", "OR", "NOT", "NEAR", "NEAR(a b, 2)", "a AND", "OR b", "NOT NOT", "a NEAR/0 b"],
  ['"', '""', '"""', 'a "b', "'", "''", "`", "’", "a*", "*", "^a", "a + b", "-a", "+", ":"],
  ["text:a", "dt : x", "{text dt}: a", "rank", "rowid:1", "memories_fts", "(", ")", "((((", "a)"],
  ["'; DROP TABLE memories; --", "1 OR 1=1", "%", "_", "?1", "\\", "\\u0000", "${a}", "<b>", "{}"],
  ["\0", "a\0b", "\ud800", "\udc00 a", "a\ud83d", "\ufeff", "\u200b", "\u202e abc", "\ufffd"],
  ["👩‍👩‍👧‍👦", "🇩🇪", "e\u0301\u0301\u0301", "ﷺ", "ﬁ", "İ", "ß", "ſ", "Å", "½", "²", "Ⅷ"],
  ["猫", "東京都に住んでいる", "我喜欢茶", "고양이", "ก็", "नमस्ते", "مرحبا", "שלום", "ქართული"],
  [
    "𠮷野家",
    "𝓯𝓪𝓷𝓬𝔂",
    "a.b.c",
    "foo::bar->baz",
    "C++",
    "#42",
    "@me",
    "a_b-c",
    "camelCaseHTTPServer",
  ],
  ["the", "is a the of", "...", "—", "\n\n", "\t", "  ", "", "0", "-1", "1e309", "NaN", "null"],
  ["toString", "__proto__", "constructor", "hasOwnProperty", "https://x.io/a?b=c#d", "a@b.io"],
].flat();

const unit = fc.integer({ min: 0, max: 0xffff });
const query = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
  {
    weight: 3,
    arbitrary: fc
      .array(fc.constantFrom(...HOSTILE), { minLength: 2, maxLength: 8 })
      .map((parts) => parts.join(" ")),
  },
  {
    weight: 2,
    arbitrary: fc.array(unit, { maxLength: 60 }).map((units) => String.fromCharCode(...units)),
  },
  { weight: 2, arbitrary: fc.string({ unit: "grapheme", maxLength: 60 }) },
  { weight: 1, arbitrary: fc.constantFrom(...HOSTILE).map((part) => full(part)) },
  {
    weight: 1,
    arbitrary: fc
      .array(unit, { minLength: 1_000, maxLength: 1_000 })
      .map((units) => String.fromCharCode(...units)),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.integer({ min: 0x4e00, max: 0x9fff }), { minLength: 1_000, maxLength: 1_000 })
      .map((units) => String.fromCharCode(...units)),
  },
);

test("hostile and random queries are all answered, over memories or over conversations", async () => {
  const person = await withSomething();
  const tool = fc.constantFrom("search_memory", "search_conversations");
  await fc.assert(
    fc.asyncProperty(query, tool, async (asked, name) => {
      const { isError, data } = await callTool(person, name, { query: asked.slice(0, 1_000) });
      expect(isError).toBe(false);
      for (const hit of data["results"]) {
        expect(hit.relevance).toBeGreaterThanOrEqual(0);
        expect(hit.relevance).toBeLessThanOrEqual(1);
        expect(hit.why.length).toBeGreaterThan(0);
      }
      // A small memory is never empty, whatever was asked.
      if (name === "search_memory") expect(data["results"].length).toBeGreaterThan(0);
    }),
    { numRuns: runs(500, 10_000) },
  );
}, 600_000);

test("hostile filters are answered or refused as the caller's mistake, never as the server's", async () => {
  const person = await withSomething();
  const name = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "binary", maxLength: 40 }));
  await fc.assert(
    fc.asyncProperty(name, name, async (tag, project) => {
      const { isError, data } = await callTool(person, "search_memory", {
        query: "garden",
        tags: [tag],
        project,
      });
      if (isError) expect(data["error"].code).toBe("invalid_input");
      else expect(data["total"]).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test("every text that was saved is found by its own longest word", async () => {
  const words = fc.array(
    fc.oneof(
      fc.stringMatching(/^[a-z]{5,14}$/),
      fc.stringMatching(/^[A-Z][a-z]{4,9}[A-Z][a-z]{3,9}$/),
      fc.stringMatching(/^[a-z]{3,6}[_-][a-z]{5,8}$/),
      fc.stringMatching(/^[äöüéñçøå]{2}[a-z]{4,8}$/),
      fc.stringMatching(/^[а-я]{6,12}$/),
      fc.stringMatching(/^[α-ω]{6,12}$/),
      fc.stringMatching(/^[\u4e00-\u4fff]{5,9}$/),
      fc.stringMatching(/^[가-나]{5,9}$/),
      fc.stringMatching(/^[ァ-ン]{5,9}$/),
      fc.stringMatching(/^[א-ת]{5,9}$/),
      fc.stringMatching(/^\d{5,9}$/),
      fc.constantFrom("🙂", "—", "(", "and", "的", "C++", "\u0301", "\ud83d"),
    ),
    { minLength: 3, maxLength: 12 },
  );
  const texts = fc.uniqueArray(
    words.map((parts) => parts.join(" ")),
    { minLength: 6, maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(texts, async (contents) => {
      const person = await newPerson();
      for (const content of contents) {
        const word = longestWord(content);
        if (word === null) continue;
        const { data: saved } = await callTool(person, "save_memory", { content });
        const { data } = await callTool(person, "search_memory", { query: word, limit: 50 });
        expect(data["results"]).toContainEqual(
          expect.objectContaining({ id: saved["memory"].id, matched: true }),
        );
      }
    }),
    { numRuns: 20 },
  );
}, 60_000);

test("every message that was imported is found by its own longest word", async () => {
  const person = await newPerson();
  const texts = [
    "Zwetschgenkuchen im Ofen",
    "東京都の天気予報",
    "HTTPServerFactory threw",
    "Привет дорогая",
  ];
  await callTool(person, "import_data", {
    items: [{ platform: "claude", id: "c", title: "Mix", messages: texts.map(asMessage) }],
  });
  for (const text of texts) {
    const { data } = await callTool(person, "search_conversations", {
      query: longestWord(text) ?? "",
    });
    expect(data["results"][0].message.snippet).toBe(text);
  }
});

function asMessage(content: string) {
  return { role: "user", content };
}

async function withSomething(): Promise<Person> {
  const person = await newPerson();
  await callTool(person, "import_data", {
    items: [
      { content: "The garden has roses and a plum tree.", tags: ["home"] },
      { content: "我喜欢绿茶。住在东京。", project: "生活" },
      { content: 'Uses NEAR protocol AND the OR gate; "quotes" too.' },
      { content: "🙂 emoji only, and C++" },
      {
        platform: "chatgpt",
        id: "c",
        title: "NOT a title: *",
        messages: ["Does rank matter?", "猫が好き", "a.b.c @me #42"].map(asMessage),
      },
    ],
  });
  return person;
}

/** As many times as fit a query. */
function full(part: string): string {
  return part === "" ? "" : `${part} `.repeat(Math.floor(1_000 / (part.length + 1)));
}

function longestWord(text: string): string | null {
  const words = text.match(/[\p{L}\p{N}_-]{3,}/gu) ?? [];
  return words.toSorted((a, b) => b.length - a.length)[0] ?? null;
}
