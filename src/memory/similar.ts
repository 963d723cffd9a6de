/** Memories near a text: reported on save so that the assistant may update instead; nothing is ever merged. */
import { wordsWithTokens } from "../search/tokenize.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { openMemory, type Memory } from "./memory.ts";
import { rankedMemories } from "./search.ts";

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
/** Tokens asked for; a text's rarest words decide, and more would only cost. */
const ASKED_TOKENS = 48;
const MAX_DIFFERING = 12;

/** @param text a saved row's id, blind `tokens` and content; itself is left out */
export async function findSimilar(
  at: OpenAccount,
  text: { readonly id: string; readonly tokens: string; readonly content: string },
  now: number,
): Promise<SimilarMemory[]> {
  const own = new Set(text.tokens.split(" ").filter((token) => token !== ""));
  if (own.size === 0) return [];
  const found = await rankedMemories(at, [...own].slice(0, ASKED_TOKENS), {
    status: "active",
    liveAt: now,
  });
  const near = found
    .filter(({ id }) => id !== text.id)
    .map((row) => ({ row, relevance: jaccard(own, new Set(row.tokens.split(" "))) }))
    .filter(({ relevance }) => relevance >= SIMILAR_FROM)
    .sort((a, b) => b.relevance - a.relevance)
    .slice(0, MAX_SIMILAR);
  return Promise.all(
    near.map(async ({ row, relevance }) => {
      const memory = await openMemory(at.keys, row);
      return {
        memory,
        relevance: Math.round(relevance * 100) / 100,
        differing: {
          here: wordsOnlyIn(text.content, memory.content),
          there: wordsOnlyIn(memory.content, text.content),
        },
      };
    }),
  );
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
