import { takeWithinBudget } from "../search/token-budget.ts";
import type { Category } from "../storage/closed-lists.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { openMemory, type Memory } from "./memory.ts";

/** What is about the person, and not about one thing that they did or know. */
const PROFILE_CATEGORIES: readonly Category[] = [
  "user_preferences",
  "personal_facts",
  "people",
  "goals",
  "instructions",
];
/** Opened at most; the budget is reached before. Arbitrary. */
const MAX_MEMORIES = 100;

/** Who the person is: the living memories about them, the most important first. @param costOf tokens of one as it will be shown */
export async function readProfile(
  at: OpenAccount,
  {
    now,
    maxTokens,
    costOf,
  }: {
    readonly now: number;
    readonly maxTokens: number;
    readonly costOf: (memory: Memory) => number;
  },
): Promise<Memory[]> {
  const filter = { status: "active", liveAt: now, categories: PROFILE_CATEGORIES } as const;
  const rows = await at.memories.first(filter, "important", { limit: MAX_MEMORIES });
  const opened = await Promise.all(rows.map((row) => openMemory(at.keys, row)));
  return takeWithinBudget(opened, maxTokens, costOf);
}
