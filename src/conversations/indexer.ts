/** Reads the words of many texts and blinds them, each once. */
import { tokenizeText } from "../search/tokenize.ts";
import { emptyVocabulary, MAX_KNOWN_WORDS, type Vocabulary } from "../search/vocabulary.ts";
import { blindTokens } from "../vault/blind.ts";
import type { Keys } from "../vault/keys.ts";

export interface Indexer {
  readonly tokenize: (text: string) => string[];
  /** Plain tokens in, a column of sorted blind tokens out. */
  readonly blind: (tokens: readonly string[]) => Promise<string>;
}

/** @param vocabulary of earlier texts; this one's words are added */
export function openIndexer(keys: Keys, vocabulary: Vocabulary = emptyVocabulary()): Indexer {
  const { blinded: known } = vocabulary;
  // Many texts ask at once, and mostly for the same words.
  const asked = new Map<string, Promise<void>>();
  async function learn(words: readonly string[]): Promise<void> {
    const blinded = await blindTokens(keys, words);
    for (const [index, word] of words.entries()) {
      known.set(word, blinded[index] ?? "");
      asked.delete(word);
    }
  }
  async function learned(words: readonly string[]): Promise<void> {
    const waits = new Set<Promise<void>>();
    const fresh: string[] = [];
    for (const word of new Set(words)) {
      const waiting = asked.get(word);
      if (waiting === undefined) fresh.push(word);
      else waits.add(waiting);
    }
    if (fresh.length > 0) {
      const learning = learn(fresh);
      for (const word of fresh) asked.set(word, learning);
      waits.add(learning);
    }
    await Promise.all(waits);
  }
  return {
    tokenize: (text) => tokenizeText(text, vocabulary),
    async blind(tokens) {
      if (known.size > MAX_KNOWN_WORDS) return (await blindTokens(keys, tokens)).sort().join(" ");
      const blinded: string[] = [];
      const unknown: string[] = [];
      for (const token of tokens) {
        const blind = known.get(token);
        if (blind === undefined) unknown.push(token);
        else blinded.push(blind);
      }
      if (unknown.length > 0) {
        await learned(unknown);
        for (const token of unknown) blinded.push(known.get(token) ?? "");
      }
      return blinded.sort().join(" ");
    },
  };
}
