import type { Importer, ImportStep } from "./importer.ts";
import { ProblemAlert } from "./problem-alert.tsx";

export function StoppedStep({
  importer,
  step: { upload, problem },
}: {
  readonly importer: Importer;
  readonly step: Extract<ImportStep, { name: "stopped" }>;
}) {
  return (
    <section class="card">
      <h1 tabindex={-1}>Stopped</h1>
      <ProblemAlert problem={problem} />
      <p>
        {upload.choice.dryRun
          ? "Nothing was saved."
          : "What was saved until now stays. Going on, now or with the same files another day, adds only what is missing."}
      </p>
      <div class="actions">
        <button type="button" class="primary" onClick={() => importer.send(upload)}>
          Go on
        </button>
        <button type="button" onClick={importer.restart}>
          Choose other files
        </button>
      </div>
    </section>
  );
}
