/** A form over some of the rules: what was changed in it and not saved, and saving it with the way back. */
import { notifyManager, useMutation, useQueryClient } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { useState } from "react";
import type { RuleName, RuleSettings } from "../../../../src/storage/rules.ts";
import { answerOf, api, toProblem } from "../../api.ts";
import { readAgain } from "../../live/read-again.ts";
import { tell, tellProblem } from "../../states/toasts.tsx";
import { problemOf, tidied } from "./rule-check.ts";

export type RulesAnswer = InferResponseType<typeof api.rules.$get>;
export type Settings = Required<RuleSettings>;

/** Rules to set. Null: as the server has it. */
export type Change = { readonly [Name in keyof Settings]?: Settings[Name] | null };

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
  /** What saving would set: null as the server has it. Some of it may have a problem. */
  readonly draft: Change;
  readonly isChanged: boolean;
  readonly isSaving: boolean;
  readonly save: () => void;
  readonly discard: () => void;
}

export function useRuleForm(answer: RulesAnswer, names: readonly RuleName[]): RuleForm {
  const [draft, setDraft] = useState<Change>({});
  const save = useSave((sent) => setDraft((before) => withoutSent(before, sent)));
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
  const to: Change = Object.fromEntries(
    changed.map((name) => [name, draft[name] === null ? null : tidied(name, value(name))]),
  );
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
    draft: to,
    isChanged: changed.length > 0,
    isSaving: save.isPending,
    save() {
      if (changed.length === 0 || changed.some((name) => problem(name) !== null)) return;
      const back = Object.fromEntries(
        changed.map((name) => [name, isOwnStored(name) ? stored[name] : null]),
      );
      save.mutate({ to, back, isUndo: false });
    },
    discard: () => setDraft({}),
  };
}

/**
 * Changed rules are no operation of the account's history: the way back is to set them as they were.
 * @param saved told what was sent, as soon as the form shows the answer
 */
function useSave(saved: (sent: Change) => void) {
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: ({ to }: { to: Change; back: Change; isUndo: boolean }) =>
      answerOf(api.rules.$patch({ json: to })),
    onSuccess(answer, { to, back, isUndo }) {
      queries.setQueryData<RulesAnswer>(["rules"], answer);
      // Behind what tells the page of the answer, so that no field shows for a moment what it said before.
      notifyManager.schedule(() => saved(to));
      tell(isUndo ? "The rules are as before." : "Saved. It holds from now on.", {
        name: isUndo ? "Redo" : "Undo",
        act: () => save.mutate({ to: back, back: to, isUndo: !isUndo }),
      });
    },
    onError: (error) => tellProblem(toProblem(error)),
    onSettled: () => readAgain(queries, { isOwn: true }),
  });
  return save;
}

/** What was typed since stays. */
function withoutSent(draft: Change, sent: Change): Change {
  const names = Object.keys(draft) as RuleName[];
  const kept = names.filter((name) => {
    const wanted = draft[name];
    return !isSame(wanted == null ? wanted : tidied(name, wanted), sent[name]);
  });
  return Object.fromEntries(kept.map((name) => [name, draft[name]]));
}

/** As they are sent. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
