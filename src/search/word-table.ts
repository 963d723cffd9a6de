/**
 * Values by words that are looked up where they stand in a text. A Map would want each word as a string of its own, which V8 copies and
 * makes known to the whole isolate first: that took longer than all the rest of reading a text. Of a large vocabulary most look-ups wait
 * for memory, so the hashes stand together, apart from words and values.
 */
export interface WordTable<T> {
  /** Of `text.slice(start, end)`. */
  readonly get: (text: string, start: number, end: number) => T | null;
  /** Once for each word that `get` does not find. Not every word is kept: see `MAX_PROBES`. */
  readonly set: (word: string, value: T) => void;
}

/** Places of a new table. Arbitrary; a power of two. */
const FIRST_PLACES = 1_024;
/**
 * Looked at for one word. Whoever writes the texts can choose words whose hashes are one, and a search through all of them for each
 * would stand still. Where at most half of the places are taken, few other words are as far from theirs: those are not kept. Arbitrary.
 */
const MAX_PROBES = 32;
/** Of a place that holds no word. No word has this hash. */
const FREE = 0;

interface Entry<T> {
  readonly word: string;
  readonly value: T;
}

/** @param capacity what comes when that many are there is not kept */
export function openWordTable<T>(capacity: number): WordTable<T> {
  let hashes = new Int32Array(FIRST_PLACES);
  let entries: (Entry<T> | undefined)[] = Array.from({ length: FIRST_PLACES });
  let count = 0;

  /** Whether there was a free place near that of the hash. */
  function put(hash: number, entry: Entry<T>): boolean {
    const last = hashes.length - 1;
    const first = placeOf(hash, hashes.length);
    for (let probe = 0; probe < MAX_PROBES; probe += 1) {
      const place = (first + probe) & last;
      if (hashes[place] !== FREE) continue;
      hashes[place] = hash;
      entries[place] = entry;
      return true;
    }
    return false;
  }

  /** At most half of the places are taken, so that a word stands near where its hash says. */
  function grow(): void {
    const before = { hashes, entries };
    hashes = new Int32Array(2 * before.hashes.length);
    entries = Array.from({ length: hashes.length });
    count = 0;
    for (const [at, entry] of before.entries.entries()) {
      if (entry !== undefined && put(before.hashes[at] ?? FREE, entry)) count += 1;
    }
  }

  return {
    get(text, start, end) {
      const hash = hashOf(text, start, end);
      const last = hashes.length - 1;
      const first = placeOf(hash, hashes.length);
      for (let probe = 0; probe < MAX_PROBES; probe += 1) {
        const place = (first + probe) & last;
        const found = hashes[place];
        if (found === FREE) return null;
        if (found !== hash) continue;
        const entry = entries[place];
        if (entry === undefined || entry.word.length !== end - start) continue;
        if (text.startsWith(entry.word, start)) return entry.value;
      }
      return null;
    },
    set(word, value) {
      if (count === capacity) return;
      if (2 * (count + 1) > hashes.length) grow();
      if (put(hashOf(word, 0, word.length), { word, value })) count += 1;
    },
  };
}

/** FNV-1a (isthe.com/chongo/tech/comp/fnv), as a signed number. */
function hashOf(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = start; at < end; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash === FREE ? 1 : hash;
}

/** Of short words FNV's upper bits are the better ones. */
function placeOf(hash: number, places: number): number {
  return (hash ^ (hash >>> 15)) & (places - 1);
}
