import { answerOf, api } from "../../api.ts";
import { useChange, useUndo } from "../../changes/change.ts";
import { Icon } from "../../shell/icon.tsx";
import { momentText } from "../../words/amounts.ts";
import { Moment } from "../../words/moment.tsx";
import type { ListedImport } from "./use-imports.ts";
import { FileNames } from "./file-names.tsx";
import { countedOf, countsText, shareDone } from "./progress-words.ts";

/** An import that was cancelled, whose window was closed, or that waits for the next day. */
export function UnfinishedRow({ unfinished }: { readonly unfinished: ListedImport }) {
  const { job, operation_id: operationId, updated_at: stoppedAt, made_by: client } = unfinished;
  const counted = countedOf(unfinished.items.by_kind);
  const undo = useUndo();
  const discard = useChange({
    make: () => answerOf(api.imports[":id"].cancel.$post({ param: { id: job.id } })),
    // What the list knew may be of before it began.
    say: ({ operation_id: saved }) =>
      saved === undefined
        ? "The import was discarded. It had saved nothing."
        : "The import was discarded. What it had saved by then stays.",
  });
  const name = `the import of ${momentText(unfinished.created_at)}`;
  return (
    <>
      <Icon name={job.state === "waiting_quota" ? "history" : "import"} />
      <div className="row-words wraps">
        <span>
          <FileNames of={unfinished} />
        </span>
        <progress
          className="import-progress"
          aria-label={`What came of ${name}`}
          max={1}
          value={shareDone(counted).toFixed(3)}
        />
        <small>{countsText(counted)}</small>
        <small>
          {job.state === "waiting_quota" && job.resume_at !== undefined
            ? `Waits for the next day's quota, which is there after ${momentText(job.resume_at)}`
            : job.state === "cancelled"
              ? "Cancelled"
              : "Stopped"}{" "}
          · <Moment time={stoppedAt} /> by <bdi>{client}</bdi>
        </small>
      </div>
      {operationId === undefined ? (
        <button
          type="button"
          className="quiet"
          aria-label={`Discard ${name}`}
          disabled={discard.isPending}
          onClick={() => discard.mutate(undefined)}
        >
          Discard
        </button>
      ) : (
        <button
          type="button"
          className="quiet"
          aria-label={`Undo ${name}`}
          disabled={undo.isPending}
          onClick={() => undo.mutate(operationId)}
        >
          Undo
        </button>
      )}
    </>
  );
}
