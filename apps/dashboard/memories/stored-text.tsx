import { Fragment } from "react";

/**
 * What somebody wrote, as plain text: nothing in it is markup, and its direction ends with it.
 * @param marks words that are marked wherever they begin a word
 */
export function StoredText({
  text,
  marks = [],
}: {
  readonly text: string;
  readonly marks?: readonly string[];
}) {
  return (
    <bdi dir="auto">
      {partsOf(text, marks).map(({ part, isMarked }, index) =>
        isMarked ? <mark key={index}>{part}</mark> : <Fragment key={index}>{part}</Fragment>,
      )}
    </bdi>
  );
}

/** Within a list nobody looks for a mark beyond that. Arbitrary. */
const MAX_MARKED_CHARS = 20_000;

function partsOf(text: string, marks: readonly string[]) {
  const words = marks.filter((word) => word !== "");
  if (words.length === 0 || text.length > MAX_MARKED_CHARS) {
    return [{ part: text, isMarked: false }];
  }
  const longestFirst = [...words].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(`(${longestFirst.map(beginningWith).join("|")})`, "giu");
  return text.split(pattern).map((part, index) => ({ part, isMarked: index % 2 === 1 }));
}

/** Scripts without blanks have no beginnings of words. */
const UNSPACED =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

/** Source of a pattern for a word or its beginning. In any case; accents count as typed. */
export function beginningWith(word: string): string {
  const escaped = word.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, "\\$&");
  return UNSPACED.test(word) ? escaped : `(?<![\\p{L}\\p{N}\\p{M}])${escaped}`;
}
