/** What the memory rules are about now, in numbers: for whoever sets them, before and after. */
import { CATEGORIES } from "../storage/closed-lists.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import type { PartialCount } from "../storage/rule-effects.ts";
import { MAX_EFFECT_ROWS } from "../storage/rule-limits.ts";
import type { RuleSettings } from "../storage/rules.ts";
import { labelToken } from "../vault/blind.ts";
import { cleanTag } from "./memory.ts";

export interface RuleEffects {
  readonly autoSave: {
    /** What assistants saved and waits now. */
    readonly waiting: number;
    /** Of what they saved on their own in the last 30 days and is in use: what would wait under these rules. */
    readonly wouldWait: number;
  };
  readonly imports: { readonly waiting: number };
  readonly maxMemories: {
    readonly used: number;
    /** For so many more. */
    readonly room: number;
  };
  readonly expireAfter: {
    /** Past their date, whoever set it, and hidden therefore. */
    readonly expired: number;
    /** In use now, and hidden had these rules always held. They keep the date that they have. */
    readonly wouldHide: number;
  };
  /** In use with a blocked tag. */
  readonly blockedTags: { readonly memories: number };
  /** Of these not all were counted, so that there may be more. */
  readonly partial: readonly PartialCount[];
}

const DAY_MS = 86_400_000;
/** What assistants saved lately, because it tells what they will save; arbitrary. */
const LATELY_MS = 30 * DAY_MS;

/** @param settings all of the rules, such as they would be */
export async function ruleEffects(
  at: OpenAccount,
  settings: Required<RuleSettings>,
  now: number,
): Promise<RuleEffects> {
  const { auto_save, max_memories, expire_after, blocked_tags } = settings;
  const days = Object.entries(expire_after);
  const counts = await at.ruleEffects.count(
    {
      now,
      savedBy: Object.fromEntries(
        days.map(([category, count]) => [category, now - count * DAY_MS]),
      ),
      waiting: {
        categories:
          auto_save === "all" ? [] : CATEGORIES.filter((category) => !auto_save.includes(category)),
        since: now - LATELY_MS,
      },
      tags: await Promise.all(blocked_tags.map((tag) => labelToken(at.keys, "tag", cleanTag(tag)))),
    },
    MAX_EFFECT_ROWS,
  );
  const used = at.row.memoriesActive + at.row.memoriesPending;
  return {
    autoSave: { waiting: counts.pendingSaves, wouldWait: counts.wouldWait },
    imports: { waiting: counts.pendingImports },
    maxMemories: { used, room: Math.max(0, max_memories - used) },
    expireAfter: { expired: counts.expired, wouldHide: counts.older },
    blockedTags: { memories: counts.tagged },
    partial: counts.partial,
  };
}
