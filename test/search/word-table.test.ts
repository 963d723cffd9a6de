import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { LANGUAGES } from "../../src/search/language.ts";
import {
  AMBIGUOUS_WORDS,
  ENGLISH_STOP_WORDS,
  GRAMMAR_WORDS,
  split,
} from "../../src/search/stop-words.ts";
import { tokenizeKnown, tokenizeText } from "../../src/search/tokenize.ts";
import { emptyVocabulary } from "../../src/search/vocabulary.ts";
import { openWordTable } from "../../src/search/word-table.ts";

test("a word is found wherever it stands, and no other word for it", () => {
  const word = fc.string({ maxLength: 6, unit: "grapheme" });
  fc.assert(
    fc.property(fc.uniqueArray(word), word, word, (words, before, asked) => {
      const table = openWordTable<string>(1_000);
      for (const one of words) table.set(one, one);
      const text = `${before}${asked} and more`;
      const found = table.get(text, before.length, before.length + asked.length);
      expect(found).toBe(words.includes(asked) ? asked : null);
    }),
  );
});

test("a full table keeps what it has", () => {
  const table = openWordTable<number>(1);
  table.set("one", 1);
  table.set("two", 2);
  expect(table.get("one two", 0, 3)).toBe(1);
  expect(table.get("one two", 4, 7)).toBeNull();
});

/** As the table has it: were it another one there, the words below would all be kept, and the test says so. */
function fnv(word: string, from: number): number {
  let hash = from;
  for (const letter of word) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return hash;
}

/** Six letters, spread over all there are: those of neighbours have no hash in common. */
function pieceOf(count: number): string {
  let left = Math.imul(count, 0x9e3779b1) >>> 0;
  let piece = "";
  for (let at = 0; at < 6; at += 1) {
    piece += String.fromCharCode(0x61 + (left % 26));
    left = Math.floor(left / 26);
  }
  return piece;
}

/** 2 ** `pairs` words of one hash: of two pieces that leave the same state, each goes with either. */
function collidingWords(pairs: number): string[] {
  let words = [""];
  let state = 0x811c9dc5 | 0;
  for (let pair = 0; pair < pairs; pair += 1) {
    const seen = new Map<number, string>();
    for (let count = 1; ; count += 1) {
      const piece = pieceOf(count);
      const next = fnv(piece, state);
      const other = seen.get(next);
      seen.set(next, piece);
      if (other === undefined || other === piece) continue;
      words = words.flatMap((word) => [word + piece, word + other]);
      state = next;
      break;
    }
  }
  return words;
}

const COLLIDING = collidingWords(10);

/** Each look at a hash of the tables that are opened from here on. */
function countProbes(): { count: number } {
  const probes = { count: 0 };
  const Unwatched = Int32Array;
  // A function that is called with `new` may return what it likes.
  function Watched(length: number): Int32Array {
    return new Proxy(new Unwatched(length), {
      get(hashes, key) {
        if (key !== "length") probes.count += 1;
        return Reflect.get(hashes, key, hashes);
      },
      set: (hashes, key, value) => Reflect.set(hashes, key, value, hashes),
    });
  }
  vi.stubGlobal("Int32Array", Watched);
  onTestFinished(() => void vi.unstubAllGlobals());
  return probes;
}

test("words that share a place are looked for in a few places, however many they are; what is found is the word's own", () => {
  const other = fc.string({ minLength: 1, maxLength: 6 });
  const words = fc.tuple(fc.nat(COLLIDING.length), fc.array(other));
  const probes = countProbes();
  fc.assert(
    fc.property(words, ([first, others]) => {
      const colliding = [...COLLIDING.slice(first), ...COLLIDING.slice(0, first)];
      const table = openWordTable<string>(10_000);
      probes.count = 0;
      const all = new Set([...others, ...colliding]);
      for (const word of all) table.set(word, word);
      expect(probes.count).toBeLessThanOrEqual(32 * all.size);
      let kept = 0;
      for (const word of colliding) {
        probes.count = 0;
        const found = table.get(word, 0, word.length);
        expect(probes.count).toBeLessThanOrEqual(32);
        expect([null, word]).toContain(found);
        if (found !== null) kept += 1;
      }
      expect(kept).toBeGreaterThan(0);
      expect(kept).toBeLessThanOrEqual(32);
    }),
    { numRuns: 5 },
  );
});

test("a text of words that share a place has the same tokens, whatever is known of them", () => {
  const vocabulary = emptyVocabulary();
  const text = COLLIDING.slice(0, 200).join(" ");
  for (let time = 0; time < 2; time += 1) {
    const tokens = tokenizeKnown(`${text} ${text}`, vocabulary).map(({ plain }) => plain);
    expect(tokens).toEqual(tokenizeText(`${text} ${text}`));
  }
});

test("of the words that tell a language, which is no cache, the table keeps every one", () => {
  const words = new Set(
    LANGUAGES.flatMap((language) => [
      ...split(GRAMMAR_WORDS[language]),
      ...split(AMBIGUOUS_WORDS[language]),
    ]).concat([...ENGLISH_STOP_WORDS]),
  );
  const table = openWordTable<string>(words.size);
  for (const word of words) table.set(word, word);
  expect([...words].filter((word) => table.get(word, 0, word.length) === null)).toEqual([]);
});
