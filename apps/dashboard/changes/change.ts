/** Changes of the account: made at once, told with the way back, and read again everywhere. */
import { useMutation, useQueryClient, type QueryClient } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { answerOf, api, toProblem } from "../api.ts";
import { readAgain } from "../live/read-again.ts";
import { tell, tellProblem } from "../states/toasts.tsx";
import { counted } from "../words/amounts.ts";

/** What every change answers: by it the change can be undone. None: nothing was changed. */
interface Changed {
  readonly operation_id?: string | null | undefined;
}

/**
 * A change as a mutation: `useChange({ make, say }).mutate(input)`.
 * @param options.make asks the API
 * @param options.say what the person is told afterwards, such as `Moved to the trash.`; null: nothing
 * @param options.back takes it back where it is no operation, such as the pausing of an app
 * @param options.expect shows it in the cached answers before the server has answered; when it is refused all is read again
 */
export function useChange<Input, Answer extends Changed>({
  make,
  say,
  back,
  expect,
}: {
  readonly make: (input: Input) => Promise<Answer>;
  readonly say: (answer: Answer, input: Input) => string | null;
  readonly back?: (answer: Answer, input: Input) => void;
  readonly expect?: (queries: QueryClient, input: Input) => void;
}) {
  const queries = useQueryClient();
  const undo = useUndo();
  return useMutation({
    mutationFn: make,
    async onMutate(input) {
      if (expect === undefined) return;
      // An answer that is on its way knows nothing of it.
      await queries.cancelQueries();
      expect(queries, input);
    },
    onSuccess(answer, input) {
      const message = say(answer, input);
      if (message === null) return;
      const id = answer.operation_id ?? null;
      if (id !== null) tell(message, { name: "Undo", act: () => undo.mutate(id) });
      else tell(message, back && { name: "Undo", act: () => back(answer, input) });
    },
    onError: (error) => tellProblem(toProblem(error)),
    onSettled: () => readAgain(queries, { isOwn: true }),
  });
}

/** What an undo did, and what it left as it is. */
export type Undone = InferResponseType<(typeof api.operations)[":id"]["undo"]["$post"]>;

/**
 * Undoes an operation by its id. An undo is an operation too: undoing it is the way back.
 * @param onUndone for pages that tell more of it than the toast
 */
export function useUndo(onUndone?: (answer: Undone) => void) {
  const queries = useQueryClient();
  const undo = useMutation({
    mutationFn: (id: string) => answerOf(api.operations[":id"].undo.$post({ param: { id } })),
    onSuccess(answer) {
      onUndone?.(answer);
      const again = answer.operation_id;
      tell(
        undoneText(answer),
        again === null ? undefined : { name: "Redo", act: () => undo.mutate(again) },
      );
    },
    onError: (error) => tellProblem(toProblem(error)),
    onSettled: () => readAgain(queries, { isOwn: true }),
  });
  return undo;
}

/** `Undone: 3 memories.`, and what was left as it is. */
export function undoneText({
  undone,
  left,
  rules_kept: rulesKept,
}: {
  readonly undone: { readonly memories: number; readonly conversations: number };
  readonly left: readonly unknown[];
  readonly rules_kept?: true | undefined;
}): string {
  const parts = [
    ...(undone.memories === 0 ? [] : [counted(undone.memories, "memory", "memories")]),
    ...(undone.conversations === 0 ? [] : [counted(undone.conversations, "conversation")]),
  ];
  const what = parts.length === 0 ? "Nothing was left to undo." : `Undone: ${parts.join(", ")}.`;
  return [
    what,
    ...(left.length === 0 ? [] : [`Changed since, and left as they are: ${left.length}.`]),
    ...(rulesKept === undefined ? [] : ["Your memory rules stay as they are."]),
  ].join(" ");
}
