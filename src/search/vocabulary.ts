import type { Language } from "./stop-words.ts";
import { openWordTable, type WordTable } from "./word-table.ts";

/**
 * What words gave before, so that thousands of texts with mostly the same words are indexed faster. It is a dictionary of plain text:
 * whoever keeps one must drop it with the import that it serves.
 */
export interface Vocabulary {
  /** Tokens of words as they were written, by the language whose stems they have: "english" where none are added. */
  readonly tokens: Readonly<Record<Language | "english", WordTable<readonly string[]>>>;
  /** Blind tokens by plain ones. */
  readonly blinded: Map<string, string>;
}

/** Of each kind. Enough for the vocabulary of a long life; 30 MB. */
export const MAX_KNOWN_WORDS = 300_000;

export function emptyVocabulary(): Vocabulary {
  const table = () => openWordTable<readonly string[]>(MAX_KNOWN_WORDS);
  return {
    tokens: { english: table(), german: table(), french: table(), spanish: table() },
    blinded: new Map(),
  };
}
