/** What the rules are about, in numbers, as they stand in the form: the server counts. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { answerOf, api } from "../../api.ts";
import { useSettled } from "../../words/use-settled.ts";
import type { Effects, Fits } from "./effect-words.ts";
import {
  isSame,
  type Change,
  type RuleForm,
  type RulesAnswer,
  type Settings,
} from "./rule-form.ts";

/** The others' effects follow from the rest of the numbers and the form. */
const COUNTED = ["auto_save", "expire_after", "blocked_tags"] as const;
type Counted = (typeof COUNTED)[number];
/** After the last key, so that not every one is a request. Arbitrary. */
const TYPING_MS = 300;

export interface Counts {
  /** What hangs on no rule: how much there is, and waits. Null: not known yet. */
  readonly now: Effects | null;
  /** Counted for this rule as it stands in the form, and not for what stood there before. Null: not known yet. */
  of(name: Counted): Effects | null;
  readonly hasFailed: boolean;
}

/** @param saved as the form began with, and as it is after a save */
export function useEffects(form: RuleForm, { rules }: RulesAnswer): Counts {
  // True because a person who is signed in may read every rule.
  const { auto_save, expire_after, blocked_tags } = rules as Settings;
  const saved = { auto_save, expire_after, blocked_tags };
  const known = COUNTED.filter(
    (name) => form.draft[name] !== undefined && form.problem(name) === null,
  );
  const draft = Object.fromEntries(known.map((name) => [name, form.draft[name]]));
  const asked = useSettled(JSON.stringify({ draft, saved } satisfies Asked), TYPING_MS);
  const { data, isError } = useQuery({
    queryKey: ["rules", "effects", asked],
    queryFn: async () => {
      // True because it was made of one above.
      const of = JSON.parse(asked) as Asked;
      return { of, effects: await answerOf(api.rules.effects.$post({ json: of.draft })) };
    },
    placeholderData: keepPreviousData,
    // The server walks thousands of rows for it: only the page's own changes have it read again.
    meta: { live: false },
  });
  const isOfNow = (name: Counted) =>
    data !== undefined &&
    isSame(data.of.draft[name], form.draft[name]) &&
    isSame(data.of.saved[name], saved[name]);
  return {
    now: data?.effects ?? null,
    of: (name) => (data !== undefined && isOfNow(name) ? data.effects : null),
    hasFailed: isError && data === undefined,
  };
}

interface Asked {
  readonly draft: Change;
  readonly saved: Pick<Settings, Counted>;
}

/** Null: not known yet for these words and this place. */
export function useFits(words: string, least: number): Fits | "not_asked" | "failed" | null {
  const query = useSettled(words.trim(), TYPING_MS);
  const settledLeast = useSettled(least, TYPING_MS);
  const all = useTotal(query, 0);
  const kept = useTotal(query, settledLeast);
  const isOfNow = query === words.trim() && settledLeast === least;
  if (words.trim() === "") return "not_asked";
  if (!isOfNow) return null;
  if (all === "failed" || kept === "failed") return "failed";
  return all === null || kept === null ? null : { all, kept };
}

function useTotal(query: string, least: number): number | "failed" | null {
  const { data, isError } = useQuery({
    queryKey: ["memories", "fits", query, least],
    queryFn: () =>
      answerOf(api.memories.search.$post({ json: { query, min_relevance: least, limit: 1 } })),
    enabled: query !== "",
    meta: { live: false },
  });
  return data?.total ?? (isError ? "failed" : null);
}
