import type { ReactNode } from "react";

/** The words of a text that a search found, set off. @param words as the text has them, whatever their case */
export function marked(text: string, words: readonly string[]): ReactNode {
  if (words.length === 0) return text;
  const found = new RegExp(`(${words.map(literally).join("|")})`, "giu");
  // What matched stands at the odd places.
  return text
    .split(found)
    .map((part, index) => (index % 2 === 1 ? <mark key={index}>{part}</mark> : part));
}

/** The words that `why` of a search names: `text: oven, rye`. */
export function wordsOf(why: readonly string[]): string[] {
  const named = why.find((reason) => reason.startsWith("text: "));
  return named === undefined ? [] : named.slice("text: ".length).split(", ");
}

function literally(word: string): string {
  return word.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
}
