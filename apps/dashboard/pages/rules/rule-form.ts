/** A form over some of the rules: what was changed in it and not saved, and saving it with the way back. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { useState } from "react";
import type { RuleName, RuleSettings } from "../../../../src/storage/rules.ts";
import { answerOf, api, toProblem } from "../../api.ts";
import { tell, tellProblem } from "../../states/toasts.tsx";
import { problemOf, tidied } from "./rule-check.ts";

export type RulesAnswer = InferResponseType<typeof api.rules.$get>;
export type Settings = Required<RuleSettings>;

/** Rules to set. Null: as the server has it. */
type Change = { readonly [Name in keyof Settings]?: Settings[Name] | null };

export interface RuleForm {
  /** As the form shows it. */
  value<Name extends RuleName>(name: Name): Settings[Name];
  /** What holds where the person sets nothing. */
  usual<Name extends RuleName>(name: Name): Settings[Name];
  set<Name extends RuleName>(name: Name, value: Settings[Name]): void;
  reset(name: RuleName): void;
  /** Whether it would be the person's own, once saved. */
  isOwn(name: RuleName): boolean;
  /** Null: it can be saved. */
  problem(name: RuleName): string | null;
  readonly isChanged: boolean;
  readonly isSaving: boolean;
  readonly save: () => void;
  readonly discard: () => void;
}

export function useRuleForm(answer: RulesAnswer, names: readonly RuleName[]): RuleForm {
  const [draft, setDraft] = useState<Change>({});
  const save = useSave();
  // True because a person who is signed in may read every rule.
  const usual = answer.defaults as Settings;
  const stored = answer.rules as Settings;
  const isOwnStored = (name: RuleName) => answer.own.some((own) => own === name);
  const value: RuleForm["value"] = (name) => {
    const changed = draft[name];
    return changed === null ? usual[name] : (changed ?? stored[name]);
  };
  /** Those that would be another by saving. A live change by somebody else may have made them the same meanwhile. */
  const changed = names.filter((name) => {
    const wanted = draft[name];
    if (wanted === undefined) return false;
    if (wanted === null) return isOwnStored(name);
    return !isSame(tidied(name, value(name)), stored[name]);
  });
  const problem = (name: RuleName) => (draft[name] == null ? null : problemOf(name, value(name)));
  return {
    value,
    usual: (name) => usual[name],
    // What a person puts back as it was is no change, and no rule of their own.
    set: (name, value) =>
      setDraft(({ [name]: _before, ...others }) =>
        isSame(value, stored[name]) ? others : { ...others, [name]: value },
      ),
    reset: (name) => setDraft((before) => ({ ...before, [name]: null })),
    isOwn: (name) => (draft[name] === undefined ? isOwnStored(name) : draft[name] !== null),
    problem,
    isChanged: changed.length > 0,
    isSaving: save.isPending,
    save() {
      if (changed.length === 0 || changed.some((name) => problem(name) !== null)) return;
      const to = Object.fromEntries(
        changed.map((name) => [name, draft[name] === null ? null : tidied(name, value(name))]),
      );
      const back = Object.fromEntries(
        changed.map((name) => [name, isOwnStored(name) ? stored[name] : null]),
      );
      save.mutate({ to, back, isUndo: false }, { onSuccess: () => setDraft({}) });
    },
    discard: () => setDraft({}),
  };
}

/** Changed rules are no operation of the account's history: the way back is to set them as they were. */
function useSave() {
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: ({ to }: { to: Change; back: Change; isUndo: boolean }) =>
      answerOf(api.rules.$patch({ json: to })),
    onSuccess(answer, { to, back, isUndo }) {
      queries.setQueryData<RulesAnswer>(["rules"], answer);
      tell(isUndo ? "The rules are as before." : "Saved. It holds from now on.", {
        name: isUndo ? "Redo" : "Undo",
        act: () => save.mutate({ to: back, back: to, isUndo: !isUndo }),
      });
    },
    onError: (error) => tellProblem(toProblem(error)),
    onSettled: () => queries.invalidateQueries(),
  });
  return save;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
