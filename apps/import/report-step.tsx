import { ImportReport } from "../../src/auth/import-report.tsx";
import type { Importer, ImportStep } from "./importer.ts";
import { UndoImport } from "./undo-import.tsx";

export function ReportStep({
  importer,
  step: { answer, upload },
}: {
  readonly importer: Importer;
  readonly step: Extract<ImportStep, { name: "report" }>;
}) {
  const isCheck = upload?.choice.dryRun === true;
  return (
    <section class="card">
      <h1 tabindex={-1}>{isCheck ? "What an import would do" : "Imported"}</h1>
      {isCheck ? <p>Nothing was saved yet.</p> : null}
      <ImportReport report={answer} />
      {isCheck ? (
        <div class="actions">
          <button
            type="button"
            class="primary"
            onClick={() =>
              importer.send({ ...upload, choice: { ...upload.choice, dryRun: false } })
            }
          >
            Import
          </button>
          <button type="button" onClick={importer.restart}>
            Choose other files
          </button>
        </div>
      ) : (
        <UndoImport operationId={"operation_id" in answer ? answer.operation_id : null}>
          <button type="button" onClick={importer.restart}>
            Import more
          </button>
        </UndoImport>
      )}
    </section>
  );
}
