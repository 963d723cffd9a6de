/** What a rule does to what there is, as a sentence that goes on after “Now:” or “With this:”. */
import { MEMORY_CANDIDATES } from "../../../../src/storage/memory-candidates.ts";
import type { PartialCount } from "../../../../src/storage/rule-effects.ts";
import { MAX_EFFECT_ROWS } from "../../../../src/storage/rule-limits.ts";
import type { RuleSettings } from "../../../../src/storage/rules.ts";
import { counted, inFigures } from "../../words/figures.ts";

type Settings = Required<RuleSettings>;

/** What the rules are about, in numbers, as the server counted them. */
export interface Effects {
  readonly auto_save: { readonly waiting: number; readonly would_wait: number };
  readonly imports: { readonly waiting: number };
  readonly max_memories: { readonly used: number };
  readonly expire_after: { readonly expired: number; readonly would_hide: number };
  readonly blocked_tags: { readonly memories: number };
  /** Not all was looked at for these. */
  readonly partial: readonly PartialCount[];
}

/** How many memories a search finds, and how many with a least relevance. */
export interface Fits {
  readonly all: number;
  readonly kept: number;
}

/** In place of any of them. */
export const FAILED_WORDS = "what it is about could not be counted just now.";

export function autoSaveWords(
  value: Settings["auto_save"],
  { auto_save: { would_wait: count }, partial }: Effects,
): string {
  if (value === "all") return "nothing that assistants save has to wait.";
  const isPart = partial.includes("would_wait");
  return `${memoriesOr(count, isPart)} would have waited, of what assistants saved on their own in the last 30 days${lookedAt(isPart)}.`;
}

export const IMPORTS_WORDS: Readonly<Record<Settings["imports"], string>> = {
  active: "assistants find what you import as soon as it is there.",
  pending: "assistants find nothing of what you import before you have approved it.",
};

export const SECRETS_WORDS: Readonly<Record<Settings["secrets"], string>> = {
  mask: "they are taken out before anything is stored, and the assistant is told.",
  refuse: "a memory that holds one is not saved.",
  allow: "they are stored as they are, encrypted like everything else.",
};

export function blockedTagsWords(tags: Settings["blocked_tags"], effects: Effects): string {
  if (tags.length === 0) return "no tag is blocked.";
  const { memories } = effects.blocked_tags;
  const isPart = effects.partial.includes("tagged");
  const are = `${memoriesOr(memories, isPart)} you have ${memories > 1 ? "are" : "is"} under these tags${lookedAt(isPart)}.`;
  return memories === 0 ? are : `${are} They stay, and nothing new is stored there.`;
}

export function maxMemoriesWords(most: number, { max_memories: { used } }: Effects): string {
  const have = `you have ${counted(used, "memory", "memories")}`;
  if (used < most) return `${have}, and room for ${inFigures(most - used)} more.`;
  const over = used - most;
  return over === 0
    ? `${have}, and no room for more.`
    : `${have}, ${inFigures(over)} more than this. None of them is deleted or hidden, and there is no room for more.`;
}

export function whenFullWords(
  { when_full: way, max_memories: most }: Pick<Settings, "when_full" | "max_memories">,
  { max_memories: { used } }: Effects,
): string {
  if (used < most) return "that is not reached, so nothing happens.";
  return way === "refuse"
    ? "the next memory is refused."
    : "the next memory moves another one to the trash.";
}

/** @param options.isDraft else it holds already, and what it would have hidden is of no interest */
export function expiryWords(
  days: Settings["expire_after"],
  effects: Effects,
  { isDraft }: { readonly isDraft: boolean },
): string {
  const { expired, would_hide: hidden } = effects.expire_after;
  const gone =
    expired === 0
      ? ""
      : ` ${upperFirst(memoriesOr(expired, effects.partial.includes("expired")))} reached ${expired === 1 ? "its" : "their"} date before, and ${expired === 1 ? "is" : "are"} hidden.`;
  if (Object.keys(days).length === 0) return `nothing is forgotten by itself.${gone}`;
  if (!isDraft) return `what is saved from now on is hidden when its time has passed.${gone}`;
  const isPart = effects.partial.includes("would_hide");
  const older = `would hide ${memoriesOr(hidden, isPart)} that you have${lookedAt(isPart)}, had it always been so.`;
  return `${older}${hidden === 0 ? "" : " As it holds from then on, they stay."}${gone}`;
}

export const DEDUPLICATION_WORDS: Readonly<Record<Settings["deduplication"], string>> = {
  on: "what is saved again is not stored a second time.",
  report: "what is saved again is stored again, and the assistant is told.",
  off: "what is saved again is stored again.",
};

/** @param fits of a question of the person's */
export function relevanceWords(least: number, fits: Fits | "not_asked"): string {
  const warning = least > 0.7 ? " Above 0.7 right answers are lost too." : "";
  if (fits === "not_asked") {
    return least === 0
      ? "a search leaves nothing out."
      : `a search leaves out what fits less than ${inFigures(least)}. Try it with a question.${warning}`;
  }
  const { all, kept } = fits;
  if (all === 0) return "nothing you have shares a word with this question.";
  const found =
    all === 1
      ? "the one memory that fits this question"
      : all < MEMORY_CANDIDATES
        ? `the ${inFigures(all)} memories that fit this question`
        : `the ${inFigures(all)} memories that fit this question best`;
  const hidden = all === 1 ? "" : `${kept === 0 ? "all" : inFigures(all - kept)} of `;
  return kept >= all ? `hides nothing of ${found}.` : `would hide ${hidden}${found}.${warning}`;
}

/** @param isPart not all were looked at, so that there may be more */
function memoriesOr(count: number, isPart: boolean): string {
  if (count === 0) return "nothing";
  return `${isPart ? "at least " : ""}${counted(count, "memory", "memories")}`;
}

function lookedAt(isPart: boolean): string {
  return isPart ? `, as far as the first ${inFigures(MAX_EFFECT_ROWS)} tell` : "";
}

function upperFirst(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
