/**
 * What a character is in a text, and the one form in which words are compared: the same in every runtime, whatever its version of
 * Unicode (test/e2e/tokenizer-runtimes.test.ts).
 */

// Classes.
const BREAK = 1;
export const LETTER = 2;
export const CJK = 3;
/** Thai, Lao, Khmer, Burmese: no blanks between words either. */
export const UNSPACED = 4;
export const MARK = 5;
export const JOINER = 6;
export const IGNORED = 7;

/** The class of the character that begins at `at`; `BREAK` behind the end. The text is well formed. */
export function classAt(text: string, at: number): number {
  if (at >= text.length) return BREAK;
  const unit = text.charCodeAt(at);
  const isPair = unit >= 0xd800 && unit <= 0xdbff;
  const point = isPair ? (text.codePointAt(at) ?? 0) : unit;
  let found = classes[point] ?? 0;
  if (found === 0) {
    found = classify(String.fromCodePoint(point));
    if (point < classes.length) classes[point] = found;
  }
  return found;
}

/** Where the letters end that begin at `at`, as far as they are of one unit and were met before: most of most texts. */
export function lettersEnd(text: string, at: number): number {
  let end = at;
  while (classes[text.charCodeAt(end)] === LETTER) end += 1;
  return end;
}

/** UTF-16 units of the character that begins at `at`: a high surrogate of a well-formed text always has its partner. */
export function widthAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit <= 0xdbff ? 2 : 1;
}

/** NFKC without what is invisible, and one apostrophe and hyphen. */
export function compatible(text: string): string {
  if (ASCII.test(text)) return text;
  return text
    .normalize("NFKC")
    .replace(INVISIBLE, "")
    .replace(APOSTROPHES, "'")
    .replace(HYPHEN, "-");
}

/**
 * Lower case without accents. Of all marks only U+0300–U+036F and those of Arabic are dropped: all of \p{M} would turn が into か
 * and take the vowels of Hindi and Thai. `version` 1: Arabic, ς and digits other than ASCII's stay as they are.
 */
export function fold(text: string, version: number): string {
  if (ASCII.test(text)) return text.toLowerCase();
  const open = text.toLowerCase().normalize("NFD");
  if (version < 2) {
    return open.replace(ACCENTS, "").normalize("NFC").replace(FOLDED_AT_FIRST, foldLetter);
  }
  return open.replace(ACCENTS_AND_HARAKAT, "").normalize("NFC").replace(FOLDED, foldLetter);
}

/**
 * Class by code point, 0 until it is asked for: asking NFKC and \p{…} takes about 150 ns, this look-up 2 to 20. Beyond are
 * variation selectors and private use.
 */
const classes = new Uint8Array(0x3_4000);

const APOSTROPHES = /[‘’ʻʼ]/gu;
const HYPHEN = /‐/gu;
/** Invisible inside words: soft hyphen, joiners, direction marks, word joiner, BOM, variation selectors. */
const INVISIBLE =
  /[\u00ad\u061c\u180e\u200c-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]|[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]/gu;
const IS_INVISIBLE = new RegExp(INVISIBLE.source, "u");
const IS_JOINER = /^[-_./:@+#&'‘’ʻʼ‐]$/u;
const IS_MARK = /^\p{M}/u;
const IS_LETTER = /^[\p{L}\p{N}]/u;
const IS_CJK = /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]/u;
const IS_UNSPACED = /^[\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]/u;
/**
 * Letters, numbers and marks that Unicode 15.1, 16 and 17 added to 15.0: first and last of each range, which may span code points
 * that no version assigned. To a runtime that does not know them they break words, so they do in all. Derived by comparing Node's
 * builds with ICU 72.1, 74.2, 77.1 and 78.3 over all code points; test/search/tokenize.test.ts fails where a runtime knows more.
 */
const LATE_RANGES = [
  0x88f, 0x88f, 0x897, 0x897, 0xc5c, 0xc5c, 0xcdc, 0xcdc, 0x1acf, 0x1aeb, 0x1c89, 0x1c8a, 0xa7cb,
  0xa7cf, 0xa7d2, 0xa7d2, 0xa7d4, 0xa7d4, 0xa7da, 0xa7dc, 0xa7f1, 0xa7f1, 0x105c0, 0x105f3, 0x10940,
  0x10959, 0x10d40, 0x10d85, 0x10ec2, 0x10ec7, 0x10efa, 0x10efc, 0x11380, 0x113e2, 0x116d0, 0x116e3,
  0x11b60, 0x11b67, 0x11bc0, 0x11bf9, 0x11db0, 0x11de9, 0x11f5a, 0x11f5a, 0x13460, 0x143fa, 0x16100,
  0x16139, 0x16d40, 0x16d79, 0x16ea0, 0x16ed3, 0x16ff2, 0x16ff6, 0x187f8, 0x187ff, 0x18cff, 0x18cff,
  0x18d09, 0x18d1e, 0x18d80, 0x18df2, 0x1ccd6, 0x1ccf9, 0x1e5d0, 0x1e5fa, 0x1e6c0, 0x1e6ff, 0x2b73a,
  0x2b73f, 0x2cea2, 0x2cead, 0x2ebf0, 0x2ee5d, 0x323b0, 0x33479,
] as const;

const ASCII = /^[\0-\x7f]*$/u;
const ACCENTS = /[\u0300-\u036f]/gu;
/** Tatweel, the short vowels, and madda and hamza above a letter: written or not as one likes. */
const ACCENTS_AND_HARAKAT = /[\u0300-\u036f\u0640\u064b-\u065f\u0670]/gu;

const FOLDS = new Map([
  ["ß", "ss"],
  ["æ", "ae"],
  ["œ", "oe"],
  ["ø", "o"],
  ["ł", "l"],
  ["đ", "d"],
  ["ı", "i"],
  // Lower-casing gives σ or ς by the neighbours' properties, which differ between Unicode versions.
  ["ς", "σ"],
  ["ٱ", "ا"],
  ["ى", "ي"],
  ["ی", "ي"],
  ["ک", "ك"],
  ["ة", "ه"],
]);
const FOLDED_AT_FIRST = /[ßæœøłđı]/gu;
/** And the digits of Arabic, Persian, Hindi and Bengali. */
const FOLDED = /[ßæœøłđıςٱىیکة\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef]/gu;

// Compiling the Unicode classes takes about 2 ms. Done here it counts as start-up, not as part of a first request that has 10 ms.
for (let unit = 0; unit < 0x80; unit += 1) classes[unit] = classify(String.fromCharCode(unit));

/** Judged by the NFKC form, so that ＋, ㎏ and ｶ are what they stand for. */
function classify(character: string): number {
  // NFKC would make "Cofiotm" of Cofio™. The form of ŉ begins with ʼ, which Unicode 16 counts among the letters of Thai.
  if (character === "™" || character === "℠" || isLate(character)) return BREAK;
  if (character === "ŉ") return LETTER;
  if (IS_INVISIBLE.test(character)) return IGNORED;
  const form = character.normalize("NFKC");
  if (IS_JOINER.test(form)) return JOINER;
  if (IS_MARK.test(form)) return MARK;
  if (!IS_LETTER.test(form)) return BREAK;
  if (IS_CJK.test(form)) return CJK;
  return IS_UNSPACED.test(form) ? UNSPACED : LETTER;
}

function isLate(character: string): boolean {
  const point = character.codePointAt(0) ?? 0;
  // All that start-up asks for.
  if (point < LATE_RANGES[0]) return false;
  return LATE_RANGES.some(
    (first, at) => at % 2 === 0 && point >= first && point <= (LATE_RANGES[at + 1] ?? 0),
  );
}

function foldLetter(letter: string): string {
  const folded = FOLDS.get(letter);
  if (folded !== undefined) return folded;
  // Each set of digits begins where the last four bits are 0 or, in India, 6.
  const unit = letter.charCodeAt(0);
  return String((unit & 0xf) - (unit < 0x900 ? 0 : 6));
}
