import fc from "fast-check";
import { expect, test } from "vitest";
import {
  dateTokens,
  tokenizeQuery,
  tokenizeText,
  wordsWithTokens,
} from "../../src/search/tokenize.ts";

const NOVEMBER_22 = Date.UTC(2026, 10, 22, 15, 0);

const queryTokens = (text: string) => tokenizeQuery(text).map(({ token }) => token);

/** Every UTF-16 unit, lone surrogates included, mixed with what is hard: operators, joiners, marks, jamo, CJK, Thai, ligatures. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.string({ unit: "binary", maxLength: 3 }),
      fc.string({ unit: "grapheme", maxLength: 8 }),
      fc.constantFrom(..."aBcZé1' .-_/:@+#&’\u0301\u3099\u200d\u00ad\ufe0f猫東京회의กำ".split("")),
      fc.constantFrom("\u1112", "\u116c", "\u11bc", "ㅋㅏ", "½", "ﷺ", "㋀", "㍿", "ｶﾞ", "＋＋", "…"),
      fc.constantFrom("May", "may", " 5 ", "C++", "'s", '"', "*", "NEAR(", " OR ", "userAgent"),
    ),
    { maxLength: 60 },
  )
  .map((pieces) => pieces.join(""));

// The everyday queries on which raw MATCH, AND of prefixes and trigrams fail.
test.for<[query: string, asked: string[], memory: string]>([
  ["What's my tech stack?", ["tech", "stack"], "Tech stack: TypeScript on Cloudflare"],
  ["where do we deploy", ["deploi"], "Deployment goes to Fly.io on Fridays"],
  ["Next.js", ["=next.js", "next", "js"], "The site is built with Next.js 16"],
  ["SB-024", ["=sb-024", "sb", "024"], "Ticket SB-024 is about the login page"],
  ["src/main.py", ["=src/main.py", "src", "main", "py"], "The entry point is src/main.py."],
  ["C++", ["=c++"], "Writes C++ at work"],
  ["C#", ["=c#"], "Learned C#, then F#"],
  ["user-agent", ["=user-agent", "user", "agent"], "Sends the user-agent Cofio/1"],
  ["multi-agent", ["=multi-agent", "multi", "agent"], "Interested in multi-agent systems"],
  ["ubuntu 20.04", ["ubuntu", "=20.04", "20", "04"], "The server runs Ubuntu 20.04"],
  ["node_modules", ["=node_modules", "node", "modul"], "Never commits node_modules"],
  ["café", ["cafe"], "Favourite cafe: Blue Door"],
  ["Zoe", ["zoe"], "Sister is called Zoë"],
  ["STRASSE", ["strass"], "Wohnt in der Lindenstraße, kurze Straße"],
  ["istanbul", ["istanbul"], "Born in İstanbul"],
  ["深色", ["深色"], "喜欢深色模式"],
  ["东京", ["东京"], "下个月去东京出差"],
  ["회의", ["회의"], "매주 월요일에 회의가 있다"],
  ["猫", ["1猫"], "三毛猫を飼っている"],
  ["useragent", ["userag"], "class userAgent extends Agent"],
  ["what did I do on November 22", ["novemb", "22"], "Dentist on November 22nd"],
  ['cats AND "dogs" OR (birds*', ["cat", "dog", "bird"], "Has a cat, a dog and a bird"],
  ["O’Brien's address", ["obrien", "brien", "address"], "Mr O'Brien, address: 5 High St"],
  ["ｆｕｌｌ　ｗｉｄｔｈ", ["full", "width"], "Full width"],
])("%s asks what a memory about it holds", ([query, asked, memory]) => {
  expect(queryTokens(query)).toEqual(asked);
  expect(new Set(tokenizeText(memory)).isDisjointFrom(new Set(asked))).toBe(false);
});

test.for(["don't", "What is it?", "?!", "", " \n ", "🎉", "e.g."])(
  "%j holds stop words or symbols only and asks nothing",
  (query) => {
    expect(tokenizeQuery(query)).toEqual([]);
  },
);

test("words keep their number of occurrences, a CJK character counts once", () => {
  expect(tokenizeText("deploy, deploying, deployment")).toEqual(["deploi", "deploi", "deploi"]);
  expect(tokenizeText("猫と猫")).toEqual(["1猫", "猫と", "1と", "と猫"]);
});

test("が, Hindi and Thai keep their marks; a decomposed text gives the tokens of the composed one", () => {
  expect(tokenizeText("がか")).toEqual(["1が", "がか", "1か"]);
  expect(tokenizeText("हिन्दी")).toEqual(["हिन्दी"]);
  expect(tokenizeText("ที่นี่")).toEqual(["ที", "ี่", "่น", "นี", "ี่"]);
  for (const text of ["Zoë", "ガギグ", "회의가 있다", "İstanbul", "Việt Nam"]) {
    expect(tokenizeText(text.normalize("NFD"))).toEqual(tokenizeText(text));
  }
  expect(tokenizeText("ｶﾞｷﾞｸﾞ")).toEqual(tokenizeText("ガギグ"));
});

test("Thai, Lao, Khmer and Burmese are found by a part of a sentence", () => {
  for (const [text, query] of [
    ["ฉันชอบกินข้าวผัด", "ข้าวผัด"],
    ["ຂ້ອຍມັກກິນເຂົ້າ", "ເຂົ້າ"],
    ["ខ្ញុំចូលចិត្តបាយ", "បាយ"],
    ["ကျွန်တော်ထမင်းကြိုက်တယ်", "ထမင်း"],
  ] as const) {
    const index = new Set(tokenizeText(text));
    expect(queryTokens(query).every((token) => index.has(token))).toBe(true);
  }
});

test("camelCase gives the whole and its parts, capitals in the plural stay one word", () => {
  expect(tokenizeText("tokenizeText")).toEqual(["tokenizetext", "token", "text"]);
  expect(tokenizeText("HTTPServer")).toEqual(["httpserver", "http", "server"]);
  expect(tokenizeText("APIs")).toEqual(["api"]);
  expect(tokenizeText("src/userAgent.ts")).toEqual([
    "=src/useragent.ts",
    "src",
    "userag",
    "user",
    "agent",
    "ts",
  ]);
});

test("may is a month when capitalised or beside a number", () => {
  expect(queryTokens("you may go")).toEqual(["go"]);
  expect(queryTokens("trip in May")).toEqual(["trip", "mai"]);
  expect(queryTokens("5 may")).toEqual(["5", "mai"]);
  expect(queryTokens("may 2026")).toEqual(["mai", "2026"]);
});

test("an invisible character or a trade mark sign does not change a word", () => {
  expect(tokenizeText("co\u00adoperate")).toEqual(tokenizeText("cooperate"));
  expect(tokenizeText("Cofio™ ❤️")).toEqual(["cofio"]);
  expect(tokenizeText("wait…what")).toEqual(["wait"]);
});

test("a date is found by each way of naming it", () => {
  const tokens = dateTokens(NOVEMBER_22, "Europe/Berlin");
  expect(tokens).toEqual(["2026", "novemb", "sundai", "22", "=2026-11", "=2026-11-22"]);
  for (const query of ["2026-11-22", "2026-11", "November 22", "last Sunday's", "november 2026"]) {
    expect(new Set(queryTokens(query)).isDisjointFrom(new Set(tokens))).toBe(false);
  }
  expect(dateTokens(Date.UTC(2026, 4, 1), "UTC")).toContain(queryTokens("May 2026")[0]);
});

test("a date is that of the user's zone", () => {
  const newYearInTokyo = Date.UTC(2026, 11, 31, 16, 0);
  expect(dateTokens(newYearInTokyo, "Asia/Tokyo")).toContain("=2027-01-01");
  expect(dateTokens(newYearInTokyo, "America/New_York")).toContain("=2026-12-31");
});

test("a query asks at most 32 terms of at most 64 characters", () => {
  const terms = tokenizeQuery(`${"x".repeat(64_000)} ${"aB-".repeat(10_000)} ${"猫犬".repeat(99)}`);
  expect(terms).toHaveLength(5);
  expect(Math.max(...terms.map(({ token }) => token.length))).toBe(64);
  const numbers = Array.from({ length: 100 }, (_, number) => `n${number}`).join(" ");
  expect(tokenizeQuery(numbers)).toHaveLength(32);
});

test("a word beyond the cap is still found by itself", () => {
  const word = "verylong".repeat(8_000);
  expect(tokenizeText(`a ${word} b`)).toContain(queryTokens(word)[0]);
});

// Linear work takes 2 s in all; where it is quadratic, one of these takes minutes.
test("hostile texts take linear time", { timeout: 20_000 }, () => {
  const letters = ["a", "aB", "a.", "x'", "猫", "ก", "ㅏ", "\u00ad", "+#", "1 may "];
  for (const unit of [
    ...letters,
    "a\u0301\u0316",
    "\u0301\u0316",
    `a${"\u0301\u0316".repeat(500)}`,
  ]) {
    tokenizeText(unit.repeat(262_144 / unit.length));
  }
  tokenizeText(`a${"\u0301\u0316".repeat(131_072)}`);
  tokenizeText(`猫${"\u3099\u0316".repeat(131_072)}`);
});

test("any string gives non-empty, well-formed, capped tokens without blanks", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      for (const token of [...tokenizeText(text), ...queryTokens(text)]) {
        expect(token).not.toBe("");
        expect(token.isWellFormed()).toBe(true);
        expect(token).not.toMatch(/\s/u);
        expect(token.length).toBeLessThanOrEqual(64);
      }
    }),
    { numRuns: 3_000 },
  );
});

test("every word of a text finds the text", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const index = new Set(tokenizeText(text));
      for (const { word } of wordsWithTokens(text)) {
        for (const token of queryTokens(word)) expect(index).toContain(token);
      }
    }),
    { numRuns: 3_000 },
  );
});

test("a whole text asks only what it holds", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      expect(new Set(queryTokens(text)).isSubsetOf(new Set(tokenizeText(text)))).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

test("offsets point at the words as they were written, in order", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      let before = 0;
      for (const { word, start, end } of wordsWithTokens(text)) {
        expect(text.slice(start, end)).toBe(word);
        expect(start).toBeGreaterThanOrEqual(before);
        before = start;
      }
    }),
    { numRuns: 3_000 },
  );
});

test("the words give the tokens of the text", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const ofWords = new Set([...wordsWithTokens(text)].flatMap(({ tokens }) => tokens));
      expect(new Set(tokenizeText(text))).toEqual(ofWords);
    }),
  );
});
