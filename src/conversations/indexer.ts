/** Reads the words of many texts and blinds them, each once. */
import { tokenizeKnown } from "../search/tokenize.ts";
import { emptyVocabulary, type Token, type Vocabulary } from "../search/vocabulary.ts";
import { blindTokens } from "../vault/blind.ts";
import type { Keys } from "../vault/keys.ts";

export interface Indexer {
  readonly tokenize: (text: string) => Token[];
  readonly tokenOf: (plain: string) => Token;
  /** Lists of tokens in, for each a column of sorted blind tokens out. */
  readonly blind: (columns: readonly (readonly Token[])[]) => Promise<string[]>;
}

/** @param vocabulary of earlier texts; this one's words are added */
export function openIndexer(keys: Keys, vocabulary: Vocabulary = emptyVocabulary()): Indexer {
  // Many texts ask at once, and mostly for the same words.
  const asked = new Map<Token, Promise<void>>();
  async function learn(tokens: readonly Token[]): Promise<void> {
    const words = tokens.map(({ plain }) => plain);
    const blinded = await blindTokens(keys, words);
    for (const [index, token] of tokens.entries()) {
      token.blind = blinded[index] ?? "";
      asked.delete(token);
    }
  }
  async function learned(tokens: ReadonlySet<Token>): Promise<void> {
    const waits = new Set<Promise<void>>();
    const fresh: Token[] = [];
    for (const token of tokens) {
      const waiting = asked.get(token);
      if (waiting === undefined) fresh.push(token);
      else waits.add(waiting);
    }
    if (fresh.length > 0) {
      const learning = learn(fresh);
      for (const token of fresh) asked.set(token, learning);
      waits.add(learning);
    }
    await Promise.all(waits);
  }
  return {
    tokenize: (text) => tokenizeKnown(text, vocabulary),
    tokenOf: vocabulary.tokenOf,
    async blind(columns) {
      const unknown = new Set<Token>();
      for (const tokens of columns) {
        for (const token of tokens) if (token.blind === null) unknown.add(token);
      }
      if (unknown.size > 0) await learned(unknown);
      return columns.map((tokens) =>
        tokens
          .map(({ blind }) => blind ?? "")
          .sort()
          .join(" "),
      );
    },
  };
}
