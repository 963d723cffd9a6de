/** A save whose canonical text is known already is answered as a duplicate and stored nowhere, so a changed fact must never be equal. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalText } from "../../src/memory/canonical.ts";

/** UTF-16 units, lone surrogates and NUL included. */
const anyText = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
  .map((units) => String.fromCharCode(...units));
const sentence = fc
  .array(
    fc.oneof(
      fc.stringMatching(/^[A-Za-z]{1,8}$/),
      fc.constantFrom("a", "The", "—", "-5", "'tea'", "(no)", "€20", "住在", "东京。", "10²", "C#"),
    ),
    { maxLength: 12 },
  )
  .map((words) => words.join(" "));

test.each([
  ["Prefers green tea.", "prefers green tea"],
  ["Prefers green tea", "  Prefers \t green\n tea  "],
  ["The dentist is Dr. Weber.", "Dentist is Dr. Weber"],
  ["An apple a day", "apple day"],
  ["Her sister is Ines!", "Her sister is Ines."],
  ['Said "never again".', "Said never again"],
  ["Said “never again”.", 'Said "never again".'],
  ["It’s Anna’s bike", "It's Anna's bike"],
  ["WORKS FROM HOME", "works from home"],
  ["Caf\u00e9 Central", "cafe\u0301 central"],
  ["Lives in Graz (Austria)", "Lives in Graz Austria"],
  ["Owns a boat — and a kayak", "Owns boat and kayak"],
  ["Likes jazz , and blues .", "Likes jazz and blues"],
  ["住在东京。", "住在东京"],
  ["他 住在 东京", "他住在东京"],
  ["「猫」が好き", "猫が好き"],
  ["喜欢茶，不喜欢咖啡", "喜欢茶, 不喜欢咖啡"],
  ["用 react 写前端", "用react写前端"],
])("%j says the same as %j", (one, other) => {
  expect(canonicalText(one)).toBe(canonicalText(other));
});

// Each pair is two facts. Those that no rule of the canonical text could ever touch are left out.
test.each([
  // Who does what to whom, and in which order.
  ["Marta taught Jonas to sail", "Jonas taught Marta to sail"],
  ["Prefers trains over planes", "Prefers planes over trains"],
  ["First milk, then tea", "First tea, then milk"],
  ["You owe them rent", "They owe you rent"],
  // Denial and tense.
  ["Is allergic to nuts", "Is not allergic to nuts"],
  ["Doesn't smoke", "Does smoke"],
  ["Can't swim", "Can swim"],
  ["Works at Bosch", "Worked at Bosch"],
  ["No longer uses Vim", "Uses Vim"],
  ["Has no cats", "Has cats"],
  // Numbers, signs, units.
  ["Release 2.10 is out", "Release 210 is out"],
  ["Release 2.10 is out", "Release 2.1 is out"],
  ["Rent is 1,200", "Rent is 1.200"],
  ["Rent is 1,200", "Rent is 12,00"],
  ["Offset is -5 hours", "Offset is 5 hours"],
  ["Offset is +5 hours", "Offset is -5 hours"],
  ["Costs £40", "Costs €40"],
  ["Costs 40", "Costs $40"],
  ["Area is 10 m²", "Area is 10 m2"],
  ["Takes ½ tablet", "Takes 12 tablet"],
  ["Raise of 5%", "Raise of 5"],
  ["Raise of 5 %", "Raise of 5"],
  ["Meeting at 10:30", "Meeting at 1030"],
  ["Born 03/04/1990", "Born 04/03/1990"],
  ["Latency must stay < 100 ms", "Latency must stay > 100 ms"],
  ["Latency must stay <100 ms", "Latency must stay 100 ms"],
  ["Latency must stay >100 ms", "Latency must stay 100 ms"],
  ["Call +49 30 1234", "Call 49 30 1234"],
  // Names, ids, code.
  ["Writes C#", "Writes C"],
  ["Writes C++", "Writes C"],
  ["Writes F#", "Writes F"],
  ["Runs Node.js", "Runs Node js"],
  ["Email is a.b@x.io", "Email is ab@x.io"],
  ["Handle is @nova", "Handle is nova"],
  ["Ticket is #12", "Ticket is 12"],
  ["Flag is -v", "Flag is v"],
  ["Flag is --force", "Flag is -force"],
  ["Flag is -V", "Flag is -v"],
  ["Branch is userId", "Branch is userid"],
  ["Token is aB3x", "Token is ab3x"],
  ["Path is src/app", "Path is /src/app"],
  ["Path is ../src", "Path is src"],
  ["Variable is _id", "Variable is id"],
  ["Pattern is *.ts", "Pattern is .ts"],
  ["Married to Marie", "Married to Mary"],
  ["Lives in Köln", "Lives in Koln"],
  ["Bullet lists use - and never *", "Bullet lists use * and never -"],
  ["Comments begin with # here", "Comments begin with // here"],
  ["Takes vitamin A daily", "Takes the vitamin daily"],
  // CJK, where blanks and marks are dropped.
  ["住在东京", "住在京都"],
  ["喜欢猫", "不喜欢猫"],
  ["一月三日", "三月一日"],
  ["版本是1.2的", "版本是12的"],
  ["气温是-5度", "气温是5度"],
  ["写C#的程序", "写C的程序"],
  ["涨了5%的价", "涨了5的价"],
  ["增加了.5公斤", "增加了5公斤"],
  ["ネコが好き", "ねこが好き"],
  ["아버지가 방에 들어가신다", "아버지 가방에 들어가신다"],
])("%j is never taken for %j", (one, other) => {
  expect(canonicalText(one)).not.toBe(canonicalText(other));
});

test("the canonical text never throws, and is well-formed, one line, without blanks at its ends", () => {
  fc.assert(
    fc.property(fc.oneof(anyText, sentence, fc.string({ unit: "grapheme" })), (text) => {
      const canonical = canonicalText(text);
      expect(canonical.isWellFormed()).toBe(true);
      expect(canonical).not.toMatch(/^\s|\s$|\s\s|[^\S ]/u);
    }),
    { numRuns: 1_000 },
  );
});

test("blanks between words, their number and their kind, never matter", () => {
  const blank = fc.stringMatching(/^[ \t\n\u00a0\u3000]{1,4}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(sentence, blank)), (parts) => {
      const spaced = parts.map(([words, blanks]) => words + blanks).join("");
      const single = parts.map(([words]) => words).join(" ");
      expect(canonicalText(spaced)).toBe(canonicalText(single));
    }),
  );
});

test("a canonical text of words is its own canonical text", () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[A-Za-z0-9é€]{2,8}[.,!]?$/)), (words) => {
      const canonical = canonicalText(words.join(" "));
      expect(canonicalText(canonical)).toBe(canonical);
    }),
  );
});

test("two texts of different numbers are never the same", () => {
  const number = fc.oneof(
    fc.integer().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  );
  fc.assert(
    fc.property(
      number,
      number,
      fc.constantFrom("", "€", "$", "#", "-", "v"),
      (one, other, sign) => {
        fc.pre(one !== other);
        const of = (value: string) => canonicalText(`The value is ${sign}${value}.`);
        expect(of(one)).not.toBe(of(other));
      },
    ),
  );
});

test("64 KiB of combining marks, quotes, dots or blanks are read", () => {
  for (const mark of ["\u0301", '"', " ", "(", "东", ".", "a\u0301", "东."]) {
    const canonical = canonicalText(`x${mark.repeat(65_000 / mark.length)}y`);
    expect(canonical).toMatch(/^x[^]*y$/u);
  }
});
