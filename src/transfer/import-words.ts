/** An import in a person's words: the same on the server's page, which works without scripts, and in the dashboard. */
import type { ItemCounts } from "./read.ts";
import type { ItemKind, SkipReason } from "./records.ts";

/** Of an import's answer what is shown. */
export interface ShownReport {
  readonly items: { readonly by_kind: Readonly<Record<ItemKind, ShownCounts>> };
  readonly skipped_reasons?: readonly ShownSkip[] | undefined;
  readonly rules?: readonly { readonly message: string }[] | undefined;
  readonly files: readonly ShownFile[];
  /** Beyond those. */
  readonly more_files?: number | undefined;
}

export interface ShownCounts {
  readonly found: number;
  readonly new: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly skipped: number;
}

export interface ShownSkip {
  readonly kind: ItemKind;
  readonly reason: SkipReason;
  readonly count: number;
  readonly examples: readonly string[];
}

export type ShownFile =
  | { readonly name: string; readonly format: string; readonly truncated?: boolean | undefined }
  | { readonly name: string; readonly not_read: string; readonly message: string };

/** The first is the sum of the others. */
export const OUTCOMES = ["found", "new", "updated", "unchanged", "skipped"] as const;

/** How many have got an outcome. */
export function doneOf(counts: ShownReport["items"]["by_kind"]): ItemCounts {
  const done = (kind: ItemKind) => {
    const { new: fresh, updated, unchanged, skipped } = counts[kind];
    return fresh + updated + unchanged + skipped;
  };
  return {
    conversation: done("conversation"),
    message: done("message"),
    memory: done("memory"),
  };
}

/** An upload can hold thousands of files; the first ones tell what was chosen. Arbitrary. */
export const MAX_FILES_SHOWN = 100;

const PLURALS: Readonly<Record<ItemKind, string>> = {
  conversation: "conversations",
  message: "messages",
  memory: "memories",
};

export function pluralOf(kind: ItemKind, count: number): string {
  return count === 1 ? kind : PLURALS[kind];
}

export function fileText(file: ShownFile): string {
  if (!("format" in file)) return `not read. ${file.message}`;
  return file.truncated === true
    ? `${file.format}. It ends in the middle: what comes before is read.`
    : file.format;
}

export function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** Why something was skipped: `120 × calls and results of tools`. */
export const REASON_WORDS: Readonly<Record<SkipReason, string>> = {
  hidden: "hidden by the platform",
  system: "system texts",
  tool: "calls and results of tools",
  reasoning: "reasoning of the model",
  other_branch: "on a branch that was not chosen",
  empty: "empty",
  media_only: "only pictures or sound",
  unreadable: "damaged",
  unsupported: "of a kind that Cofio does not know",
  duplicate_in_file: "twice in the files",
  other_account: "of another account",
  not_selected: "marked as not to be remembered",
  trashed: "in your trash",
  too_large: "too large",
  quota: "over the limit",
  limit_reached: "beyond the number of memories that your rules allow",
  blocked_tag: "with a tag that your rules block",
  secret: "with a secret in it, which your rules refuse",
  truncated_file: "cut off at the end of a file",
};
