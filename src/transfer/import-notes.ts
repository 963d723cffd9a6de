/** What the memory rules did to an import, in a sentence each: many memories are not told one by one. */
import type { RuleNote } from "../memory/rules.ts";
import type { MemoryRules } from "../storage/rules.ts";

/** Those that left a memory out have the names of their reasons in the report (`records.ts`). */
export const RULE_ACTIONS = [
  "masked",
  "pending",
  "expires",
  "reported",
  "limit_reached",
  "blocked_tag",
  "secret",
] as const;
export type RuleAction = (typeof RULE_ACTIONS)[number];

export function isRuleAction(word: string): word is RuleAction {
  return RULE_ACTIONS.some((action) => action === word);
}

export function importNotes(
  rules: MemoryRules,
  actions: Readonly<Partial<Record<RuleAction, number>>>,
): RuleNote[] {
  return RULE_ACTIONS.flatMap((action) => {
    const count = actions[action] ?? 0;
    return count === 0 ? [] : [importNote(rules, action, count)];
  });
}

function importNote(rules: MemoryRules, action: RuleAction, count: number): RuleNote {
  const memories = count === 1 ? "1 memory" : `${count} memories`;
  switch (action) {
    case "masked":
      return {
        rule: "secrets",
        action,
        message: `Secrets were removed from ${memories} before storing, as the rule secrets says.`,
      };
    case "pending":
      return {
        rule: "imports",
        action,
        message: `Waiting for the user's approval, and not found until then: ${memories}, as the rule imports says.`,
      };
    case "expires":
      return {
        rule: "expire_after",
        action,
        message: `Expiring after the days that the rule expire_after gives their category, counted from this import: ${memories}.`,
      };
    case "reported":
      return {
        rule: "deduplication",
        action,
        message: `Stored although another memory says exactly the same, as the rule deduplication says: ${memories}.`,
      };
    case "limit_reached":
      return {
        rule: "max_memories",
        action,
        message: `Left out because the user's rules allow ${rules.maxMemories} memories: ${memories}. Importing the same again, once there is room, adds only what is missing.`,
      };
    case "blocked_tag":
      return {
        rule: "blocked_tags",
        action,
        message: `Left out because the user has blocked a tag: ${memories}.`,
      };
    case "secret":
      return {
        rule: "secrets",
        action,
        message: `Left out because of a secret in the text, as the rule secrets says: ${memories}.`,
      };
  }
}
