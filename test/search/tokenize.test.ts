import fc from "fast-check";
import { expect, test } from "vitest";
import { classAt } from "../../src/search/characters.ts";
import {
  dateTokens,
  tokenizeKnown,
  tokenizeQuery,
  tokenizeText,
  wordsWithTokens,
} from "../../src/search/tokenize.ts";
import { emptyVocabulary } from "../../src/search/vocabulary.ts";

const NOVEMBER_22 = Date.UTC(2026, 10, 22, 15, 0);

const queryTokens = (text: string) => tokenizeQuery(text).map(({ tokens }) => tokens[0] ?? "");

/** Whether each word of the query is found, alone or by an alternative. */
function finds(query: string, text: string): boolean {
  const index = new Set(tokenizeText(text));
  return tokenizeQuery(query).every(({ tokens }) => tokens.some((token) => index.has(token)));
}

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
      fc.constantFrom(
        " und ",
        " les ",
        " los ",
        " the ",
        "Brüder",
        "went",
        "repos",
        "10km",
        "busqué",
      ),
      fc.constantFrom("мамы", "القهوة", "كـتاب", "١٢", "ΟΔΟΣ", "\u064e", "\u0640", "für", "C'est"),
    ),
    { maxLength: 60 },
  )
  .map((pieces) => pieces.join(""));

// The everyday queries on which raw MATCH, AND of prefixes and trigrams fail.
test.for<[query: string, asked: string[], memory: string]>([
  ["What's my tech stack?", ["tech", "stack"], "Tech stack: TypeScript on Cloudflare"],
  ["where do we deploy", ["deploi"], "Deployment goes to Fly.io on Fridays"],
  ["Next.js", ["=next.js", "next", "javascript"], "The site is built with Next.js 16"],
  ["SB-024", ["=sb-024", "sb", "024"], "Ticket SB-024 is about the login page"],
  ["src/main.py", ["=src/main.py", "src", "main", "python"], "The entry point is src/main.py."],
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
    expect(finds(query, text)).toBe(true);
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
    "typescript",
  ]);
});

test("may is a month when capitalised or beside a number", () => {
  expect(queryTokens("you may go")).toEqual(["go"]);
  expect(queryTokens("trip in May")).toEqual(["trip", "mai"]);
  expect(queryTokens("5 may")).toEqual(["5", "mai"]);
  expect(queryTokens("may 2026")).toEqual(["mai", "2026"]);
});

test("irregular forms find their base form and each other", () => {
  for (const [query, text] of [
    ["went", "goes"],
    ["Bought", "buying"],
    ["children", "the child's"],
    ["mice", "a mouse"],
    ["left", "leaving"],
    ["thoughts", "thinks"],
    ["died", "dying"],
    ["women", "the woman's"],
  ] as const) {
    expect([query, finds(query, text), finds(text, query)]).toEqual([query, true, true]);
  }
});

test("an irregular form that is as often another word stays what it is", () => {
  for (const [query, text] of [
    ["rose", "rise"],
    ["wound", "wind"],
    ["ground", "grind"],
    ["bit", "bite marks"],
    ["LED", "lead"],
    ["the shot", "shoot"],
  ] as const) {
    expect([query, finds(query, text)]).toEqual([query, false]);
  }
});

test("short forms find the long ones", () => {
  for (const [query, text] of [
    ["repos", "the repository"],
    ["auth", "authenticates"],
    ["db", "databases"],
    ["k8s config", "Kubernetes configuration"],
    ["prod env", "production environment"],
    ["docs", "documentation"],
    ["js and ts", "javascript, typescript"],
    ["postgres", "postgresql"],
    ["mum's bday", "Mother's birthday"],
    ["xmas at uni", "Christmas, university"],
    ["Dr Amara's phone", "doctor Amara, telephone"],
    ["fri", "Friday"],
  ] as const) {
    expect([query, finds(query, text), finds(text, query)]).toEqual([query, true, true]);
  }
  for (const [query, text] of [
    ["apt", "appointment"],
    ["doc", "document"],
    ["max", "maximum"],
    ["jan", "January"],
  ] as const) {
    expect([query, finds(query, text)]).toEqual([query, false]);
  }
});

test("a number is found with its unit beside it or apart", () => {
  for (const [query, text] of [
    ["2pm", "never after 2 pm"],
    ["10 km", "a 10km run"],
    ["16 GB", "16GB of memory"],
  ] as const) {
    expect(new Set(tokenizeText(text)).isDisjointFrom(new Set(queryTokens(query)))).toBe(false);
  }
  expect(tokenizeText("22nd")).toEqual(["22"]);
});

test("British and American spellings find each other, and promise stays with promising", () => {
  for (const [query, text] of [
    ["favourite colours", "favorite color"],
    ["organise", "organizing"],
    ["organisations", "organization"],
    ["travelling", "traveled"],
    ["theatre programme", "theater programs"],
    ["grey jewellery", "gray jewelry"],
    ["licence", "license"],
    ["neighbourhood", "neighborhood"],
    ["promise", "promising"],
    ["revise", "revised"],
    ["four hours", "four hour"],
  ] as const) {
    expect([query, finds(query, text)]).toEqual([query, true]);
  }
});

test("German, French and Spanish texts are found by other forms of their words", () => {
  for (const [query, text] of [
    ["Wohnungen", "Die neue Wohnung ist in Köln"],
    ["wann habe ich gekündigt", "Ich kündige den Vertrag"],
    ["Brüder", "Mein Bruder heißt Henning"],
    ["Hütte buchen", "Die Hütte ist gebucht"],
    ["préférer", "Elle préfère les tableaux"],
    ["chevaux", "Un cheval dans le pré"],
    ["nager", "Nage avec sa sœur"],
    ["reservar", "La casa está reservada para agosto"],
    ["¿qué tomo?", "Toma café con leche y es muy caliente"],
    ["lápiz", "Los lápices de mi hija"],
  ] as const) {
    const index = new Set(tokenizeText(text));
    const asked = tokenizeQuery(query).flatMap(({ tokens }) => tokens);
    expect([query, index.isDisjointFrom(new Set(asked))]).toEqual([query, false]);
  }
});

test("the stems of other languages do not join English words", () => {
  for (const [query, text] of [
    ["care", "Sold the car"],
    ["plane", "No plan for the weekend"],
    ["bite", "He waited a bit"],
    ["notes", "Not that one"],
  ] as const) {
    expect([query, finds(query, text)]).toEqual([query, false]);
  }
});

test("Russian and Arabic words are found in other forms, with and without vowel marks", () => {
  for (const [query, text] of [
    ["мамин день рождения", "У мамы дни рождения"],
    ["Берёзка", "в «Березке»"],
    ["гарантии на коронки", "гарантия, коронку"],
    ["قهوة", "يحب القهوة"],
    ["الكتاب", "وكتاب"],
    ["قَهْوَة", "قهوتي"],
    ["إلى المكتبة", "الى مكتبه"],
    ["كـتاب", "كتاب"],
    ["١٢", "12"],
  ] as const) {
    const index = new Set(tokenizeText(text));
    const asked = tokenizeQuery(query).flatMap(({ tokens }) => tokens);
    expect([query, index.isDisjointFrom(new Set(asked))]).toEqual([query, false]);
  }
});

test("stop words of other languages go, and what is a subject elsewhere stays", () => {
  expect(tokenizeText("und nicht für les dans los está и что في من")).toEqual([]);
  expect(queryTokens("UN, DES and MIT")).toEqual(["un", "de", "mit"]);
  expect(queryTokens("The hat of the man, war")).toEqual(["hat", "man", "war"]);
});

test("a query since version 1 asks for what that version stored as well", () => {
  for (const [query, stored] of [
    ["went", "went"],
    ["repos", "repo"],
    ["colours", "colour"],
    ["k8s", "k8s"],
    ["und", "und"],
    ["мамы", "мамы"],
    ["القهوة", "القهوة"],
    ["ΟΔΟΣ", "οδος"],
    ["src/main.py", "=src/main.py"],
    ["src/main.py", "py"],
    ["user_١", "=user_١"],
    ["ـ", "ـ"],
  ] as const) {
    expect(tokenizeQuery(query, 1).flatMap(({ tokens }) => tokens)).toContain(stored);
  }
});

test("forms that only this version joins are one term with all that version 1 stored", () => {
  expect(tokenizeQuery("go went gone", 1)).toEqual([
    { tokens: ["go", "went", "gone", "~wen", "~went", "~gon"], written: "go" },
  ]);
  expect(tokenizeQuery("the repo")).toEqual([{ tokens: ["repositori"], written: "repo" }]);
  expect(tokenizeQuery("the repo", 1)).toEqual([
    { tokens: ["repositori", "repo"], written: "repo" },
  ]);
});

test("a query since version 1 asks all that one of this version asks, and at most 6 alternatives", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      for (const { word } of wordsWithTokens(text)) {
        const terms = tokenizeQuery(word, 1);
        const asked = new Set(terms.flatMap(({ tokens }) => tokens));
        for (const { tokens } of tokenizeQuery(word)) {
          expect(new Set(tokens).isSubsetOf(asked)).toBe(true);
        }
        for (const { tokens } of terms) {
          expect(new Set(tokens).size).toBe(tokens.length);
          expect(tokens.length).toBeGreaterThan(0);
          expect(tokens.length).toBeLessThanOrEqual(6);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

// When a runtime fails here, it knows a newer Unicode version: what that added belongs into LATE_RANGES.
test("every code point is what it was in Unicode 15.0", () => {
  const counts = Array.from({ length: 8 }, () => 0);
  let hash = 0;
  for (let point = 0; point < 0x11_0000; point += 1) {
    const isSurrogate = point >= 0xd800 && point <= 0xdfff;
    const found = isSurrogate ? 1 : classAt(String.fromCodePoint(point), 0);
    counts[found] = (counts[found] ?? 0) + 1;
    hash = Math.imul(hash ^ found, 0x01000193) >>> 0;
  }
  expect(counts).toEqual([0, 972_938, 27_452, 110_848, 355, 2_198, 43, 278]);
  expect(hash).toBe(0x9ad49020);
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
  expect(Math.max(...terms.flatMap(({ tokens }) => tokens).map(({ length }) => length))).toBe(64);
  const numbers = Array.from({ length: 100 }, (_, number) => `n${number}`).join(" ");
  expect(tokenizeQuery(numbers)).toHaveLength(32);
});

test("a word beyond the cap is still found by itself", () => {
  const word = "verylong".repeat(8_000);
  expect(tokenizeText(`a ${word} b`)).toContain(queryTokens(word)[0]);
});

// Linear work takes seconds in all; where it is quadratic, one of these takes minutes.
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
      const asked = [...tokenizeQuery(text), ...tokenizeQuery(text, 1)];
      for (const token of [...tokenizeText(text), ...asked.flatMap(({ tokens }) => tokens)]) {
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
        for (const { tokens } of tokenizeQuery(word)) {
          expect(index.isDisjointFrom(new Set(tokens))).toBe(false);
        }
      }
    }),
    { numRuns: 3_000 },
  );
});

test("a whole text asks only what it holds", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const index = new Set(tokenizeText(text));
      for (const { tokens } of tokenizeQuery(text)) {
        expect(index.isDisjointFrom(new Set(tokens))).toBe(false);
      }
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

test("a vocabulary of earlier texts changes no token", () => {
  const vocabulary = emptyVocabulary();
  const surprising = fc.constantFrom(
    "may",
    "May",
    "5 may",
    "㋀ 1月 月",
    "und nicht für",
    "don't",
    "C++",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(hostileText, surprising)), (parts) => {
      const text = parts.join(" ");
      const known = tokenizeKnown(text, vocabulary).map(({ plain }) => plain);
      expect(known).toEqual(tokenizeText(text));
    }),
    { numRuns: 1_000 },
  );
});
