/** The part of a text that shows why it was found, and the words that made it a hit. Plain tokens, after decryption. */
import { wordsWithTokens, type Word } from "./tokenize.ts";

/** A text with its words, of whose tokens only those that were asked for are left. Read once, because a long text takes milliseconds. */
export interface MarkedText {
  readonly text: string;
  readonly words: readonly Word[];
}

export function markWords(text: string, tokens: ReadonlySet<string>): MarkedText {
  const words: Word[] = [];
  for (const { word, start, end, tokens: all } of wordsWithTokens(text)) {
    const isMatch = all.some((token) => tokens.has(token));
    words.push({
      word,
      start,
      end,
      tokens: isMatch ? all.filter((token) => tokens.has(token)) : NONE,
    });
  }
  return { text, words };
}

/**
 * The stretch with the most distinct tokens, then the most matches, then the earliest; the beginning where nothing matches. Cut at
 * word boundaries, with … at each cut; at most `maxChars` UTF-16 units, … included.
 */
export function snippet({ text, words }: MarkedText, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const room = Math.max(0, maxChars - 2 * ELLIPSIS.length);
  const core = densest(matching(words), room);

  // What is left of the room goes to both sides, and to one where the text ends at the other.
  const slack = room - (core.end - core.start);
  const from = Math.min(Math.max(0, core.start - Math.floor(slack / 2)), text.length - room);
  const start = from === 0 ? 0 : startOfWord(text, words, { from, limit: core.start });
  const to = start + room;
  const end = to >= text.length ? text.length : endOfWord(text, words, { start, core, to });
  return [
    start > 0 ? ELLIPSIS : "",
    text.slice(start, end).trim(),
    end < text.length ? ELLIPSIS : "",
  ].join("");
}

/** The beginning, cut as a snippet is. What comes after it is not read. */
export function opening(text: string, maxChars: number): string {
  return snippet(markWords(text.slice(0, maxChars + LOOK_AHEAD), new Set()), maxChars);
}

/** Distinct words as the text has them, in order, at most 8; of several capitalisations the first. */
export function matchedWords({ text, words }: MarkedText): string[] {
  const found = new Map<string, string>();
  for (const { start, end } of merged(matching(words))) {
    const word = text.slice(start, end);
    const key = word.toLowerCase();
    if (!found.has(key)) found.set(key, word);
    if (found.size === MAX_WORDS) break;
  }
  return [...found.values()];
}

interface Span {
  readonly start: number;
  readonly end: number;
}

const NONE: readonly string[] = [];
const ELLIPSIS = "…";
/** Arbitrary: a query rarely has more words, and the answer stands in a model's context. */
const MAX_WORDS = 8;
/** UTF-16 units behind a cut that tell whether a word goes on there. */
const LOOK_AHEAD = 16;

function* matching(words: readonly Word[]): Generator<Word> {
  for (const word of words) if (word.tokens.length > 0) yield word;
}

/** Pairs of CJK letters overlap: 深色 and 色模 are shown as 深色模. */
function* merged(matches: Iterable<Span>): Generator<Span> {
  let current: Span | null = null;
  for (const { start, end } of matches) {
    if (current !== null && start < current.end) {
      current = { start: current.start, end: Math.max(current.end, end) };
      continue;
    }
    if (current !== null) yield current;
    current = { start, end };
  }
  if (current !== null) yield current;
}

/** Two pointers over the matches: `first` follows where the stretch would grow beyond the room. */
function densest(matches: Iterable<Word>, room: number): Span {
  const inside: Word[] = [];
  let first = 0;
  const counts = new Map<string, number>();
  let best = { start: 0, end: 0, distinct: 0, total: 0 };
  for (const match of matches) {
    inside.push(match);
    for (const token of match.tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
    let oldest = inside[first];
    while (oldest !== undefined && oldest !== match && match.end - oldest.start > room) {
      forget(oldest, counts);
      first += 1;
      oldest = inside[first];
    }
    const start = oldest?.start ?? match.start;
    const distinct = counts.size;
    const total = inside.length - first;
    if (distinct > best.distinct || (distinct === best.distinct && total > best.total)) {
      // One word may be longer than the room: it is shown from its beginning.
      best = { start, end: Math.min(match.end, start + room), distinct, total };
    }
  }
  return best;
}

function forget({ tokens }: Word, counts: Map<string, number>): void {
  for (const token of tokens) {
    const count = counts.get(token) ?? 0;
    if (count > 1) counts.set(token, count - 1);
    else counts.delete(token);
  }
}

function startOfWord(
  text: string,
  words: readonly Word[],
  { from, limit }: { readonly from: number; readonly limit: number },
): number {
  const start = words.find((word) => word.start >= from)?.start;
  // No word begins before the match, or none at all: a cut inside one long word.
  return start !== undefined && start <= limit ? start : outsidePair(text, from);
}

function endOfWord(
  text: string,
  words: readonly Word[],
  { start, core, to }: { readonly start: number; readonly core: Span; readonly to: number },
): number {
  let end = 0;
  for (const word of words) {
    if (word.start >= to) break;
    if (word.end <= to) end = Math.max(end, word.end);
  }
  return end > start && end >= core.end ? end : outsidePair(text, to);
}

/** Never between the halves of a surrogate pair. */
function outsidePair(text: string, at: number): number {
  const isInside = /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1));
  return isInside ? at - 1 : at;
}
