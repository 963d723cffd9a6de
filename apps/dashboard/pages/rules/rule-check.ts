/** What the server will say about a rule, said before it is asked. */
import type { RuleName } from "../../../../src/storage/rules.ts";
import {
  MAX_BLOCKED_TAG,
  MAX_BLOCKED_TAGS,
  MAX_EXPIRY_DAYS,
  MAX_MAX_MEMORIES,
} from "../../../../src/storage/rule-limits.ts";
import { inFigures } from "../../words/amounts.ts";
import type { Settings } from "./rule-form.ts";

/** Null: it can be saved. */
export function problemOf<Name extends RuleName>(name: Name, value: Settings[Name]): string | null {
  const settings: Partial<Settings> = { [name]: value };
  const { max_memories: most, expire_after: days, blocked_tags: tags } = settings;
  if (most !== undefined && !isWhole(most, MAX_MAX_MEMORIES)) {
    return `Give a whole number from 1 to ${inFigures(MAX_MAX_MEMORIES)}.`;
  }
  if (days !== undefined && Object.values(days).some((count) => !isWhole(count, MAX_EXPIRY_DAYS))) {
    return `Give whole days from 1 to ${inFigures(MAX_EXPIRY_DAYS)}, or nothing.`;
  }
  if (tags !== undefined) {
    const lines = tidyTags(tags);
    if (lines.length > MAX_BLOCKED_TAGS) return `Give at most ${MAX_BLOCKED_TAGS} tags.`;
    if (lines.some((line) => line.length > MAX_BLOCKED_TAG)) {
      return `A tag has at most ${MAX_BLOCKED_TAG} characters.`;
    }
  }
  return null;
}

/** As it is sent: without what is left over from typing. */
export function tidied<Name extends RuleName>(name: Name, value: Settings[Name]): Settings[Name] {
  if (name !== "blocked_tags") return value;
  // True because of the name.
  return tidyTags(value as Settings["blocked_tags"]) as Settings[Name];
}

function tidyTags(tags: readonly string[]): string[] {
  return [...new Set(tags.map((tag) => tag.trim()).filter((tag) => tag !== ""))];
}

function isWhole(count: number, most: number): boolean {
  return Number.isInteger(count) && count >= 1 && count <= most;
}
