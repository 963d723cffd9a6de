/** The language of a text, as far as its stems need it. */
import {
  AMBIGUOUS_WORDS,
  ENGLISH_STOP_WORDS,
  GRAMMAR_WORDS,
  split,
  type Language,
} from "./stop-words.ts";
import { openWordTable, type WordTable } from "./word-table.ts";

export const LANGUAGES = ["german", "french", "spanish"] as const;

/**
 * By grammar words and letters. Null where the signs are too few, or as many for another: most texts in other languages, and
 * queries of names only.
 */
export function languageOf(text: string): Language | "english" | null {
  signs ??= readSigns();
  let sample = text.slice(0, SAMPLE_CHARS).toLowerCase();
  let points = [0, 0, 0, 0];
  if (!ASCII.test(sample)) {
    sample = sample.replace(DECOMPOSED, (letter) => letter.normalize("NFC"));
    points = LETTERS.map((letters) => (letters.test(sample) ? SURE : 0));
  }
  for (let start = 0, end = 0; start < sample.length; start = end + 1) {
    end = lettersEnd(sample, start);
    for (const [at, sign] of signs.get(sample, start, end) ?? []) {
      points[at] = (points[at] ?? 0) + sign;
    }
  }
  const most = Math.max(...points);
  const winner = points.indexOf(most);
  if (most < SURE || winner !== points.lastIndexOf(most)) return null;
  return LANGUAGES[winner] ?? "english";
}

/** Arbitrary. Enough for a judgement, and bounds the work for a long text. */
const SAMPLE_CHARS = 400;
/** One sure sign decides where nothing speaks against it; an ambiguous word is half a sign. */
const SURE = 2;
const ASCII = /^[\0-\x7f]*$/u;
/** A letter and its accent. Not a whole text to NFC, which is another one where marks are unknown to a runtime. */
const DECOMPOSED = /[a-z][\u0300-\u0308\u0327]/gu;
/** By the place of the language in `LANGUAGES`, English last, which has none. é says little. */
const LETTERS = [/[äöüß]/u, /[çèêœàùîôû]/u, /[ñ¿¡áíóú]/u, /(?!)/u];

/** Where the Latin letters end that begin at `at`. */
function lettersEnd(text: string, at: number): number {
  for (let end = at; ; end += 1) {
    const unit = text.charCodeAt(end);
    if (!((unit >= A && unit <= Z) || (unit >= SHARP_S && unit <= Y_DIAERESIS) || unit === OE)) {
      return end;
    }
  }
}

const [A, Z, SHARP_S, Y_DIAERESIS, OE] = [0x61, 0x7a, 0xdf, 0xff, 0x153] as const;

/** What each word says, as pairs of a language's place and a sign. */
let signs: WordTable<readonly Sign[]> | undefined;

type Sign = readonly [at: number, sign: number];

function readSigns(): WordTable<readonly Sign[]> {
  const read = new Map<string, Sign[]>();
  const add = (words: Iterable<string>, at: number, sign: number): void => {
    for (const word of words) read.set(word, [...(read.get(word) ?? []), [at, sign]]);
  };
  for (const [at, language] of LANGUAGES.entries()) {
    add(split(GRAMMAR_WORDS[language]), at, SURE);
    add(split(AMBIGUOUS_WORDS[language]), at, SURE / 2);
  }
  add(ENGLISH_STOP_WORDS, LANGUAGES.length, SURE);
  const table = openWordTable<readonly Sign[]>(read.size);
  for (const [word, found] of read) table.set(word, found);
  return table;
}
