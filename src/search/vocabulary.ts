import type { Language } from "./stop-words.ts";
import { openWordTable, type WordTable } from "./word-table.ts";

/** In a vocabulary each is one object, so that what is known of it is found without looking it up. */
export interface Token {
  readonly plain: string;
  /** What stands for it in the index; null: nobody has made it yet. */
  blind: string | null;
}

/**
 * What words gave before, so that thousands of texts with mostly the same words are indexed faster. It is a dictionary of plain text:
 * whoever keeps one must drop it with the import that it serves.
 */
export interface Vocabulary {
  /** Tokens of words as they were written, by the language whose stems they have: "english" where none are added. */
  readonly words: Readonly<Record<Language | "english", WordTable<readonly Token[]>>>;
  readonly tokenOf: (plain: string) => Token;
}

/** Of each kind. Enough for the vocabulary of a long life; 30 MB. */
const MAX_KNOWN_WORDS = 300_000;

export function emptyVocabulary(): Vocabulary {
  const table = () => openWordTable<readonly Token[]>(MAX_KNOWN_WORDS);
  const tokens = new Map<string, Token>();
  return {
    words: { english: table(), german: table(), french: table(), spanish: table() },
    tokenOf(plain) {
      const known = tokens.get(plain);
      if (known !== undefined) return known;
      const token = { plain, blind: null };
      if (tokens.size < MAX_KNOWN_WORDS) tokens.set(plain, token);
      return token;
    },
  };
}
