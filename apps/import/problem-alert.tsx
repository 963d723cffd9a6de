import type { Problem } from "./call-api.ts";

/** Present from the start, so that a screen reader says what enters it. */
export function ProblemAlert({ problem }: { readonly problem: Problem | null }) {
  return (
    <div role="alert">
      {problem === null ? null : (
        <>
          <p class="alert">{problem.message}</p>
          <p class="hint">{problem.hint}</p>
        </>
      )}
    </div>
  );
}
