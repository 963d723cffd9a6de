/**
 * Values by words that are looked up where they stand in a text. A Map would want each word as a string of its own, which V8 copies and
 * makes known to the whole isolate first: that took longer than all the rest of reading a text.
 */
export interface WordTable<T> {
  /** Of `text.slice(start, end)`. */
  readonly get: (text: string, start: number, end: number) => T | null;
  /** Of two words with the same hash the later one stays: with 300,000 words that meets some 40. */
  readonly set: (word: string, value: T) => void;
}

/** @param capacity what comes when that many are there is not kept */
export function openWordTable<T>(capacity: number): WordTable<T> {
  const entries = new Map<number, { readonly word: string; readonly value: T }>();
  return {
    get(text, start, end) {
      const entry = entries.get(hashOf(text, start, end));
      if (entry === undefined || entry.word.length !== end - start) return null;
      return text.startsWith(entry.word, start) ? entry.value : null;
    },
    set(word, value) {
      if (entries.size < capacity) entries.set(hashOf(word, 0, word.length), { word, value });
    },
  };
}

/** FNV-1a (isthe.com/chongo/tech/comp/fnv), cut to the 30 bits that V8 keeps without allocating. */
function hashOf(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 2;
}
