/**
 * Search while a word is still being typed. The index knows whole words alone (it is blind), so the words before it are searched for and
 * ranked there, and among what that found the unfinished one narrows here: nothing vanishes between two letters.
 */
import { textOf, type FoundMemory } from "../../memories/memory.ts";
import { beginningWith } from "../../memories/stored-text.tsx";

export interface TypedWords {
  /** What stands before the last word. */
  readonly finished: string;
  /** The word that is being typed; null: none is, or it is none to narrow by (`tag:home`, `-word`, within quotes). */
  readonly last: string | null;
}

export function readTyped(words: string): TypedWords {
  const [, finished = "", last = ""] = /^(.*?)([^\s]*)$/su.exec(words) ?? [];
  const isQuoted = (words.match(/"/gu)?.length ?? 0) % 2 === 1;
  const isWord = /^[\p{L}\p{N}]/u.test(last) && !last.includes(":");
  return { finished: finished.trim(), last: isQuoted || !isWord ? null : last };
}

/**
 * @param found.whole hits for all of what was typed
 * @param found.before hits for the finished words, or the newest memories where there are none
 * @param found.isAsked whether there are finished words
 */
export function narrowed<Row extends FoundMemory>(
  last: string,
  {
    whole,
    before,
    isAsked,
  }: { readonly whole: readonly Row[]; readonly before: readonly Row[]; readonly isAsked: boolean },
): readonly Row[] {
  const pattern = new RegExp(beginningWith(last), "iu");
  const earlier = new Map(before.map((row) => [row.id, new Set(foundWords(row))]));
  const hits = whole.filter(({ matched }) => matched !== false);
  const others = before.filter(
    ({ id, matched }) => matched !== false && !hits.some((hit) => hit.id === id),
  );
  const kept = [
    ...hits.filter(
      (hit) =>
        holds(hit, pattern) ||
        // Found by a form of the word that begins otherwise: "mice" for "mouse".
        foundWords(hit).some((word) => earlier.get(hit.id)?.has(word) !== true),
    ),
    ...others.filter((row) => holds(row, pattern)),
  ];
  if (kept.length > 0) return kept;
  return isAsked ? [...hits, ...others] : hits;
}

/** The words of a text that a search found, as it names them in its reasons. */
export function foundWords({ why = [] }: FoundMemory): string[] {
  return why.flatMap((reason) => {
    const [field, words = ""] = reason.split(/: (.*)/su);
    return field === "content" ? words.split(", ") : [];
  });
}

function holds(row: FoundMemory, pattern: RegExp): boolean {
  return [textOf(row), ...(row.tags ?? []), row.project ?? "", row.path ?? ""].some((text) =>
    pattern.test(text),
  );
}
