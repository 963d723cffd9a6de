import { useUndo } from "../../changes/change.ts";
import type { Importer, ImportStep } from "./importer.ts";
import { Report } from "./report.tsx";
import { StepCard } from "./step-card.tsx";
import { useIsUndone } from "./use-is-undone.ts";

export function ReportStep({
  importer,
  step: { report, operationId, checked },
}: {
  readonly importer: Importer;
  readonly step: Extract<ImportStep, { name: "report" }>;
}) {
  return (
    <StepCard title={checked === null ? "Imported" : "What an import would do"}>
      {checked === null ? null : <p>Nothing was saved yet.</p>}
      <Report report={report} />
      {checked === null ? (
        <AfterImport importer={importer} operationId={operationId} />
      ) : (
        <AfterCheck importer={importer} checked={checked} />
      )}
    </StepCard>
  );
}

function AfterCheck({
  importer,
  checked,
}: {
  readonly importer: Importer;
  readonly checked: NonNullable<Extract<ImportStep, { name: "report" }>["checked"]>;
}) {
  const importNow = () => {
    if ("list" in checked) importer.sendList(checked.list, { dryRun: false });
    else importer.send({ ...checked, choice: { ...checked.choice, dryRun: false } });
  };
  return (
    <div className="actions">
      <button type="button" className="primary" onClick={importNow}>
        Import
      </button>
      <button type="button" onClick={importer.restart}>
        {"list" in checked ? "Back" : "Choose other files"}
      </button>
    </div>
  );
}

function AfterImport({
  importer,
  operationId,
}: {
  readonly importer: Importer;
  readonly operationId: string | null;
}) {
  const undo = useUndo();
  const isUndone = useIsUndone()(operationId);
  return (
    <>
      <p role="status">{isUndone ? "This import was undone." : ""}</p>
      <div className="actions">
        <button type="button" onClick={importer.restart}>
          Import more
        </button>
        {operationId === null || isUndone ? null : (
          <button
            type="button"
            className="danger"
            disabled={undo.isPending}
            onClick={() => undo.mutate(operationId)}
          >
            {undo.isPending ? "Undoing …" : "Undo this import"}
          </button>
        )}
      </div>
    </>
  );
}
