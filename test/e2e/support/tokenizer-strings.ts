/**
 * Runs in Node, workerd and Chromium: makes the same hostile strings everywhere and says what the tokeniser makes of them, as
 * hashes.
 */
import { tokenizeQuery, tokenizeText, type QueryTerm } from "../../../src/search/tokenize.ts";
import { pick, seededRandom, type Random } from "../../support/random.ts";

export interface Question {
  /** `hash`: of all strings together. `hashes`: of each. `tokens`: of the first string, to read. */
  readonly kind: "hash" | "hashes" | "tokens";
  /** The number of a string, which is its seed. */
  readonly first: number;
  readonly count: number;
}

export interface Tokens {
  readonly text: string;
  readonly index: readonly string[];
  readonly query: readonly QueryTerm[];
}

export function answer({ kind, first, count }: Question): number | readonly number[] | Tokens {
  switch (kind) {
    case "hash": {
      let hash = 0;
      for (let at = 0; at < count; at += 1) hash = Math.imul(hash, 31) + hashOfString(first + at);
      return hash >>> 0;
    }
    case "hashes":
      return Array.from({ length: count }, (_, at) => hashOfString(first + at));
    case "tokens": {
      const text = stringAt(first);
      return { text, index: tokenizeText(text), query: tokenizeQuery(text) };
    }
  }
}

function hashOfString(index: number): number {
  const text = stringAt(index);
  try {
    let hash = 0x811c9dc5;
    for (const token of tokenizeText(text)) hash = hashInto(hash, token);
    for (const { tokens, written } of tokenizeQuery(text)) {
      for (const token of tokens) hash = hashInto(hash, token);
      hash = hashInto(hash, written);
    }
    return hash;
  } catch (cause) {
    throw new Error(`String ${index} throws: ${JSON.stringify(text)}`, { cause });
  }
}

/** FNV-1a over UTF-16 units, with an end mark. */
function hashInto(hash: number, text: string): number {
  let mixed = hash;
  for (let at = 0; at < text.length; at += 1) {
    mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193);
  }
  return Math.imul(mixed ^ 0xffff, 0x01000193) >>> 0;
}

/** Any string can be made alone. Each code point below U+E0200 stands in at least one string; beyond are selectors and private use. */
function stringAt(index: number): string {
  const random = seededRandom(index);
  const pieces = [codePoint(index < 0xe_0200 ? index : random(0x11_0000))];
  for (let left = random(5); left > 0; left -= 1) pieces.push(piece(random));
  // The systematic one in the middle of something.
  const at = random(pieces.length);
  [pieces[0], pieces[at]] = [pieces[at] ?? "", pieces[0] ?? ""];
  return pieces.join("");
}

function piece(random: Random): string {
  const kind = random(100);
  if (kind < 22) return pick(WORDS, random);
  if (kind < 36) return pick(JOINTS, random);
  if (kind < 40) return pick(WHOLES, random);
  if (kind < 48) return codePoint(random(0x1_0000));
  if (kind < 53) return codePoint(random(0x3_4000));
  if (kind < 55) return codePoint(random(0x11_0000));
  if (kind < 57) return pick(WORDS, random).toUpperCase();
  // Once in 2,000 strings.
  if (kind === 57 && random(80) === 0) return codePoint(random(0x3000)).repeat(random(2_000));
  const [first, last] = pick(BLOCKS, random);
  return Array.from({ length: 1 + random(5) }, () =>
    codePoint(first + random(last - first + 1)),
  ).join("");
}

/** Halves of surrogate pairs too. */
function codePoint(point: number): string {
  return String.fromCodePoint(point);
}

const WORDS = [
  ..."the went children Repositories organised colour k8s i18n C++ C# userAgent HTTPServer APIs May may 22nd 10km".split(
    " ",
  ),
  ..."und Wohnungen Brüder für STRASSE gebucht les chevaux œuvre préférée d'avion años busqué lápices niños".split(
    " ",
  ),
  ..."мамы ёлка Берёзку παλιός ΟΔΥΣΣΕΥΣ İstanbul ısı Việt ŉdebele ʕaʕA ﬁne ǆungla Ⅷ ½ ㎏ ㍿ ﷺ ㋀".split(
    " ",
  ),
  ..."القهوة والكتب قَهْوَة١٢٣ كـتاب پایتخت हिन्दी १२ বাংলা שָׁלוֹם ქართული ᏣᎳᎩ ꭰꮃ".split(" "),
  ..."深色模式 東京 猫 がか ｶﾞｷﾞ 회의가 ㅋㅏ 한 ที่นี่ กำลัง ເຂົ້າ ខ្ញុំ ထမင်း བོད་ཡིག".split(" "),
] as const;

const JOINTS = [
  ..." \t\n\0.-_/:@+#&'’ʼ‐,;()*\"".split(""),
  " ",
  " ",
  "'s",
  "++",
  "\u00ad",
  "\u200b",
  "\u200d",
  "\u202e",
  "\u2066",
  "\ufe0f",
  "\ufeff",
  "\u0301",
  "\u0345",
  "\u3099",
  "\u0e47",
  "\u064e",
  "\ud83d",
  "\udc00",
  "\u{e0101}",
  "™",
  "…",
  "👩‍👩‍👧",
] as const;

const WHOLES = [
  "https://user@example.org:8080/a/b.html?q=1&r=2#top",
  "first.last+tag@example.co.uk",
  "/var/log/app_2026-11-22.log",
  '"a" AND NOT b OR NEAR(c d, 5) ^e : {f g} -h*',
  "SB-024 0x08004f1c v2.3.1-rc.1",
  "node_modules/@scope/pkg/index.d.ts",
  "5 may 2026, May 5",
] as const;

/** Where scripts, cases and normal forms are difficult, and where Unicode added letters after 15.0. */
const BLOCKS = [
  [0x20, 0x7e],
  [0x41, 0x7a],
  [0xa0, 0x24f],
  [0x250, 0x2ff],
  [0x300, 0x36f],
  [0x370, 0x3ff],
  [0x400, 0x52f],
  [0x530, 0x5ff],
  [0x600, 0x6ff],
  [0x700, 0x8ff],
  [0x900, 0xdff],
  [0xe00, 0xeff],
  [0xf00, 0x109f],
  [0x10a0, 0x11ff],
  [0x1380, 0x17ff],
  [0x1800, 0x1aff],
  [0x1b00, 0x1cff],
  [0x1d00, 0x1fff],
  [0x2000, 0x20ff],
  [0x2100, 0x218f],
  [0x2c00, 0x2dff],
  [0x2e80, 0x30ff],
  [0x3100, 0x33ff],
  [0x4e00, 0x9fff],
  [0xa490, 0xa7ff],
  [0xa800, 0xabff],
  [0xac00, 0xd7ff],
  [0xd800, 0xdfff],
  [0xf900, 0xfdff],
  [0xfe00, 0xffff],
  [0x1_0000, 0x1_0fff],
  [0x1_1000, 0x1_1fff],
  [0x1_3000, 0x1_47ff],
  [0x1_6000, 0x1_8dff],
  [0x1_aff0, 0x1_b2ff],
  [0x1_cc00, 0x1_d7ff],
  [0x1_e000, 0x1_efff],
  [0x1_f000, 0x1_faff],
  [0x2_0000, 0x2_ffff],
  [0x3_0000, 0x3_3fff],
  [0xe_0000, 0xe_01ff],
] as const;
