import type { ItemCounts } from "../../../../src/transfer/read.ts";
import type { Importer } from "./importer.ts";
import { foundText } from "./progress-words.ts";
import { StepCard } from "./step-card.tsx";

export function SurveyStep({
  importer,
  found,
}: {
  readonly importer: Importer;
  readonly found: ItemCounts | null;
}) {
  const soFar = found === null ? "" : foundText(found);
  return (
    <StepCard title="Reading your files">
      <p>On this computer. A large export takes some seconds.</p>
      <progress aria-label="Reading" className="import-progress" />
      <p className="counts">{soFar === "" ? "" : `Found so far: ${soFar}`}</p>
      <div className="actions">
        <button type="button" onClick={importer.restart}>
          Cancel
        </button>
      </div>
    </StepCard>
  );
}
