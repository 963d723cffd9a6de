import type { Importer, ImportStep } from "./importer.ts";
import { ProblemAlert } from "./problem-alert.tsx";
import { StepCard } from "./step-card.tsx";

export function StoppedStep({
  importer,
  step: { upload, problem },
}: {
  readonly importer: Importer;
  readonly step: Extract<ImportStep, { name: "stopped" }>;
}) {
  return (
    <StepCard title="Stopped">
      <ProblemAlert problem={problem} />
      <p>
        {upload.choice.dryRun
          ? "Nothing was saved."
          : "What was saved until now stays. Going on, now or with the same files another day, adds only what is missing."}
      </p>
      <div className="actions">
        <button type="button" className="primary" onClick={() => importer.send(upload)}>
          Go on
        </button>
        {problem?.code === "unauthorized" ? (
          // In another tab: the files that were chosen are known to this one.
          <a className="button" href="/sign-in" target="_blank" rel="noopener">
            Sign in
          </a>
        ) : null}
        <button type="button" onClick={importer.restart}>
          Choose other files
        </button>
      </div>
    </StepCard>
  );
}
