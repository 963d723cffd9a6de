/** What a check may find, by the words in which it is told. */
import { PAGE_BYTES } from "../storage/export-rows.ts";

/** What follows from other rows, and was made to agree with them again. */
export const REPAIRED = [
  /** Blind tokens, sizes: not those of the text. */
  "words",
  /** There is none, it is another's, or it is of a row that has none. */
  "index_entry",
  /** By which an equal text, or a file's place, is recognised. */
  "identity",
  "label",
  /** Of a tag, project or directory: missing, or not what its token stands for. */
  "label_name",
  "message_count",
  "counter",
] as const;
export type Repaired = (typeof REPAIRED)[number];

/** What nothing else tells: it is named, and left as it is. A backup may have it. */
export const LEFT = [
  /** The ciphertext does not open under the account's key, at this place. */
  "unreadable",
  /** An earlier state is missing. */
  "earlier_missing",
  /** An earlier state that is not earlier than what it belongs to. */
  "not_earlier",
  /** Its memory or conversation is missing. */
  "belongs_to_nothing",
  /** The operation that made or changed it is missing. */
  "operation_missing",
  /** Another file stands at its place. */
  "place_taken",
  /** What an operation counted cannot be read. */
  "counts_unreadable",
  /** Looking at it failed, which the log tells more of. */
  "unchecked",
] as const;
export type Left = (typeof LEFT)[number];

export const KINDS = [
  "memory",
  "memory_version",
  "conversation",
  "conversation_version",
  "message",
  "message_version",
  "label",
  "operation",
  "account",
] as const;
export type Kind = (typeof KINDS)[number];

/** Ids and words of these lists only: never text. */
export interface Damage<What extends string = Repaired | Left> {
  readonly what: What;
  readonly kind: Kind;
  /** Of a message: its conversation's and its own. Of a counter: its name. */
  readonly id: string;
  readonly version?: number;
}

/** What one page came to. */
export interface CheckedPage {
  readonly rows: number;
  /** Numbers of an index that were looked at. */
  readonly walked?: number;
  /** Where the next page begins; null: there is none. */
  readonly next: readonly (string | number)[] | null;
  readonly repaired: readonly Damage<Repaired>[];
  readonly left: readonly Damage<Left>[];
}

/** What a page of rows came to. @param limit the rows that it may have; fewer where they are large @param keyOf where the next one begins */
export function pageOf<Row>(
  rows: readonly (Row & { readonly readBytes?: number })[],
  limit: number,
  {
    keyOf,
    repaired = [],
    left,
  }: {
    readonly keyOf: (row: Row) => readonly (string | number)[];
    readonly repaired?: readonly Damage<Repaired>[];
    readonly left: readonly Damage<Left>[];
  },
): CheckedPage {
  const last = rows.at(-1);
  const bytes = rows.reduce((sum, { readBytes = 0 }) => sum + readBytes, 0);
  const isLast = rows.length < limit && bytes < PAGE_BYTES;
  return {
    rows: rows.length,
    next: isLast || last === undefined ? null : keyOf(last),
    repaired,
    left,
  };
}
