/** Memories near a text: reported on save so that the assistant may update instead; nothing is ever merged. */
import { tokenizeText, wordsWithTokens } from "../search/tokenize.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { blindTokens } from "../vault/blind.ts";
import type { Memory } from "./memory.ts";
import { memoriesLike, openFound } from "./search.ts";

export interface SimilarMemory {
  readonly memory: Memory;
  /** Share of common words, 0 to 1. */
  readonly relevance: number;
  /** Words that only the one or only the other has, as written. */
  readonly differing: { readonly here: readonly string[]; readonly there: readonly string[] };
}

/** Jaccard of stems: finds 50 of 53 duplicates and 87 of 94 updates in the prototype's pairs. */
const SIMILAR_FROM = 0.4;
const MAX_SIMILAR = 3;
/** Words asked for; the longest, which are the rarest, decide, and more would only cost. Arbitrary. */
const ASKED_TOKENS = 32;
/** What shares as many words as a near text must is far ahead of others. Arbitrary, half of what a search ranks. */
const CANDIDATES = 48;
/** The best by rank that are opened and compared word by word. Arbitrary. */
const COMPARED = 24;
const MAX_DIFFERING = 12;

/** Compares contents alone: tags and the questions that a memory answers say nothing of whether two say the same. `id` is left out. */
export async function findSimilar(
  at: OpenAccount,
  { id, content }: { readonly id: string; readonly content: string },
  now: number,
): Promise<SimilarMemory[]> {
  const own = new Set(tokenizeText(content));
  if (own.size === 0) return [];
  const asked = [...own].sort((a, b) => b.length - a.length).slice(0, ASKED_TOKENS);
  const tokens = await blindTokens(at.keys, asked);
  const found = await memoriesLike(at, tokens, { now, candidates: CANDIDATES });
  const others = found.filter((row) => row.id !== id).slice(0, COMPARED);
  const compared = (await openFound(at, others)).map(({ memory }) => ({
    memory,
    relevance: jaccard(own, new Set(tokenizeText(memory.content))),
  }));
  return compared
    .filter(({ relevance }) => relevance >= SIMILAR_FROM)
    .sort((a, b) => b.relevance - a.relevance)
    .slice(0, MAX_SIMILAR)
    .map(({ memory, relevance }) => ({
      memory,
      relevance: Math.round(relevance * 100) / 100,
      differing: {
        here: wordsOnlyIn(content, memory.content),
        there: wordsOnlyIn(memory.content, content),
      },
    }));
}

function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const token of a) if (b.has(token)) shared++;
  return shared / (a.size + b.size - shared);
}

/** Every word counts here, stop words too: "not" is what differs. */
function wordsOnlyIn(text: string, other: string): string[] {
  const known = new Set(wordList(other).map((word) => word.toLowerCase()));
  return [...new Set(wordList(text).filter((word) => !known.has(word.toLowerCase())))].slice(
    0,
    MAX_DIFFERING,
  );
}

function wordList(text: string): string[] {
  return [...wordsWithTokens(text)].map(({ word }) => word);
}
