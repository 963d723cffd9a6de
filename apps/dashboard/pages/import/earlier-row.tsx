import { useState } from "react";
import { useUndo } from "../../changes/change.ts";
import { Icon } from "../../shell/icon.tsx";
import { momentText } from "../../words/amounts.ts";
import { Moment } from "../../words/moment.tsx";
import { FileNames } from "./file-names.tsx";
import type { ListedImport } from "./use-imports.ts";
import { outcomesText } from "./progress-words.ts";
import { Report } from "./report.tsx";

/** An import of the past: what became of it, its report, and the way back. */
export function EarlierRow({
  earlier,
  isUndone,
}: {
  readonly earlier: ListedImport;
  readonly isUndone: boolean;
}) {
  const { job, format, operation_id: operationId, made_by: client } = earlier;
  const [isOpen, setOpen] = useState(false);
  const undo = useUndo();
  const outcomes = outcomesText(earlier.items.by_kind);
  return (
    <>
      <Icon name={job.state === "finished" ? "check" : "alert"} />
      <div className="row-words wraps earlier">
        <span>
          {format === "" ? "Import" : format}: <FileNames of={earlier} />
        </span>
        <small>
          {STATE_WORDS[job.state] ?? ""}
          {outcomes === "" ? "nothing changed" : outcomes}
          {isUndone ? " · undone" : ""}
        </small>
        <small>
          <bdi>{client}</bdi> · <Moment time={earlier.created_at} />
        </small>
        {job.state === "failed" ? (
          <small>
            The same files can be imported again: what is there already is left as it is.
          </small>
        ) : null}
        <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
          <summary aria-label={`Report of the import of ${momentText(earlier.created_at)}`}>
            Report
          </summary>
          {isOpen ? <Report report={earlier} /> : null}
        </details>
      </div>
      {operationId === undefined || isUndone ? null : (
        <button
          type="button"
          className="quiet"
          aria-label={`Undo the import of ${momentText(earlier.created_at)}`}
          disabled={undo.isPending}
          onClick={() => undo.mutate(operationId)}
        >
          Undo
        </button>
      )}
    </>
  );
}

/** Of those that did not come to their end. */
const STATE_WORDS: Readonly<Partial<Record<ListedImport["job"]["state"], string>>> = {
  created: "Not finished: ",
  running: "Not finished: ",
  waiting_quota: "Not finished: ",
  failed: "Failed: ",
  cancelled: "Cancelled: ",
};
