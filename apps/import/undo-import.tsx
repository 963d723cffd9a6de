import type { Child } from "hono/jsx";
import { useState } from "hono/jsx/dom";
import { inFigures, pluralOf } from "../../src/auth/import-report.tsx";
import { callApi, NoConnection, NOT_CONNECTED, problemOf, type Problem } from "./call-api.ts";
import { ProblemAlert } from "./problem-alert.tsx";

/** Of `POST /api/operations/:id/undo` what is told. */
interface UndoAnswer {
  readonly undone: { readonly memories: number; readonly conversations: number };
  readonly left: readonly unknown[];
}

type UndoState =
  | { readonly name: "open"; readonly problem: Problem | null }
  | { readonly name: "running" }
  | { readonly name: "undone"; readonly answer: UndoAnswer };

/** @param operationId null: nothing was changed, so there is nothing to undo */
export function UndoImport({
  operationId,
  children,
}: {
  readonly operationId: string | null;
  readonly children?: Child;
}) {
  const [state, setState] = useState<UndoState>({ name: "open", problem: null });
  const undo = async (id: string) => {
    setState({ name: "running" });
    setState(await undoOperation(id));
  };
  return (
    <>
      <p role="status">{state.name === "undone" ? undoneText(state.answer) : ""}</p>
      <ProblemAlert problem={state.name === "open" ? state.problem : null} />
      <div class="actions">
        {children}
        {operationId === null || state.name === "undone" ? null : (
          <button
            type="button"
            class="undo"
            disabled={state.name === "running"}
            onClick={() => void undo(operationId)}
          >
            {state.name === "running" ? "Undoing …" : "Undo this import"}
          </button>
        )}
      </div>
    </>
  );
}

async function undoOperation(id: string): Promise<UndoState> {
  try {
    const answer = await callApi("POST", `/operations/${id}/undo`);
    if (answer.status !== 200) return { name: "open", problem: problemOf(answer) };
    // What this server answers to it with 200.
    return { name: "undone", answer: answer.body as UndoAnswer };
  } catch (error) {
    if (error instanceof NoConnection) return { name: "open", problem: NOT_CONNECTED };
    throw error;
  }
}

function undoneText({ undone, left }: UndoAnswer): string {
  const counts = [
    ["conversation", undone.conversations],
    ["memory", undone.memories],
  ] as const;
  const parts = counts
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${inFigures(count)} ${pluralOf(kind, count)}`);
  const what = parts.length === 0 ? "Nothing was left to undo." : `Undone: ${parts.join(" and ")}.`;
  if (left.length === 0) return what;
  return `${what} Left as they are, because they were changed since: ${inFigures(left.length)}.`;
}
