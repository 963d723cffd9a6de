import type { ReaderProblem } from "../../../import/messages.ts";

/** Present from the start, so that a screen reader says what enters it. */
export function ProblemAlert({ problem }: { readonly problem: ReaderProblem | null }) {
  return (
    <div role="alert">
      {problem === null ? null : (
        <>
          <p className="alert">{problem.message}</p>
          {problem.hint === "" ? null : <p className="hint">{problem.hint}</p>}
        </>
      )}
    </div>
  );
}
