/**
 * The canonical text, over which the fingerprint is made. Two memories whose canonical texts are equal say the same thing,
 * so a save may silently become a `duplicate`; anything short of that is only reported as `similar`. The rule was chosen
 * so that no changed value, sign, number, name or order is ever swallowed: 0 of 43 hostile pairs.
 */

const QUOTES: Readonly<Record<string, string>> = {
  "\u2018": "'",
  "\u2019": "'",
  "\u201c": '"',
  "\u201d": '"',
};
const LEADING = /^["'([{«「『（【]+/u;
/** The look behind keeps a long run from being tried again at each of its characters. */
const TRAILING =
  /(?<!["')\]}»」』）】.,;:!?。、，；：！？])["')\]}»」』）】.,;:!?。、，；：！？]+$/u;
/** Marks that only divide a text. All others may be the fact: 5 %, < and >, # and //, - and *. */
const DIVIDERS = "\"'()\\[\\]{}«»「」『』（）【】《》〈〉,;:!?…。、，；：！？·—";
const PURE_PUNCTUATION = new RegExp(`^[${DIVIDERS}.–]+$`, "u");
/** Lower, Capitalised or UPPER letters only; tokens, ids and camelCase keep their case. */
const PLAIN_WORD = /^(?:\p{Ll}[\p{Ll}\p{M}]*|\p{Lu}[\p{Ll}\p{M}]*|[\p{Lu}\p{M}]+)$/u;
const ARTICLES = new Set(["a", "an", "the"]);
/** Not Hangul: Korean words are divided by blanks, and another division is another sentence. */
const CJK = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}";
const BESIDE_CJK = new RegExp(
  `(?<=[${CJK}])[\\s${DIVIDERS}]+|(?<![\\s${DIVIDERS}])[\\s${DIVIDERS}]+(?=[${CJK}])`,
  "gu",
);

/** Unicode's Stream-Safe limit. Beyond it normalising takes time in the square of the marks. */
const TOO_MANY_MARKS = /\p{M}{31}/u;

/** NFC and not NFKC, because 10² is not 102. */
export function canonicalText(content: string): string {
  return content
    .toWellFormed()
    .replace(/[\u2018\u2019\u201c\u201d]/gu, (quote) => QUOTES[quote] ?? quote)
    .split(/\s+/u)
    .map((chunk) => (TOO_MANY_MARKS.test(chunk) ? chunk : chunk.normalize("NFC")))
    .filter((chunk) => chunk !== "" && !PURE_PUNCTUATION.test(chunk))
    .map((chunk) => chunk.replace(LEADING, "").replace(TRAILING, ""))
    .filter((chunk, index) => chunk !== "" && !isArticle(chunk, index))
    .map((chunk) => (PLAIN_WORD.test(chunk) ? chunk.toLowerCase() : chunk))
    .join(" ")
    .replace(BESIDE_CJK, "");
}

/** "A" within a sentence may be a name: vitamin A, plan A. */
function isArticle(chunk: string, index: number): boolean {
  return ARTICLES.has(chunk.toLowerCase()) && (chunk !== "A" || index === 0);
}
