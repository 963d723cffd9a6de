/** What a rule does, in words: only what was counted. */
import { expect, test } from "vitest";
import {
  autoSaveWords,
  blockedTagsWords,
  expiryWords,
  relevanceWords,
  type Effects,
} from "../../apps/dashboard/pages/rules/effect-words.ts";

const DRAFT = { isDraft: true };
const NOTHING: Effects = {
  auto_save: { waiting: 0, would_wait: 0 },
  imports: { waiting: 0 },
  max_memories: { used: 0 },
  expire_after: { expired: 0, would_hide: 0 },
  blocked_tags: { memories: 0 },
  partial: [],
};

test("nothing is nothing only where all was looked at", () => {
  const part: Effects = { ...NOTHING, partial: ["would_wait", "would_hide", "tagged"] };
  for (const words of [
    (effects: Effects) => autoSaveWords(["goals"], effects),
    (effects: Effects) => blockedTagsWords(["fun"], effects),
    (effects: Effects) => expiryWords({ events: 9 }, effects, DRAFT),
  ]) {
    expect(words(NOTHING)).toMatch(/nothing/u);
    expect(words(NOTHING)).not.toMatch(/10,000/u);
    expect(words(part)).toMatch(/nothing .*as far as the first 10,000 tell/u);
  }
});

test("a limit of one count makes no other one uncertain", () => {
  const effects: Effects = {
    ...NOTHING,
    auto_save: { waiting: 0, would_wait: 3 },
    expire_after: { expired: 2, would_hide: 5 },
    partial: ["would_hide"],
  };
  expect(autoSaveWords([], effects)).toMatch(/^3 memories would have waited/u);
  expect(expiryWords({ events: 9 }, effects, DRAFT)).toMatch(
    /^would hide at least 5 .* 2 memories reached/u,
  );
  expect(expiryWords({}, { ...effects, partial: ["expired"] }, DRAFT)).toMatch(
    /At least 2 memories/u,
  );
});

test("as many as a search ranks are told as the best of them", () => {
  expect(relevanceWords(0.5, { all: 95, kept: 95 })).toBe(
    "hides nothing of the 95 memories that fit this question.",
  );
  expect(relevanceWords(0.5, { all: 96, kept: 90 })).toBe(
    "would hide 6 of the 96 memories that fit this question best.",
  );
  expect(relevanceWords(0, "not_asked")).toBe("a search leaves nothing out.");
});
