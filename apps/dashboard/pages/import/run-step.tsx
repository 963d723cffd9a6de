import { useLayoutEffect } from "react";
import type { ImportProgress } from "../../../../src/transfer/send.ts";
import { momentText } from "../../words/amounts.ts";
import type { Importer, ImportStep } from "./importer.ts";
import { paceOf, type Sample } from "./pace.ts";
import { countsText, outcomesText, paceText, shareDone } from "./progress-words.ts";
import { StepCard } from "./step-card.tsx";

export function RunStep({
  importer,
  step: { upload, progress, samples, awaits, isStopping },
}: {
  readonly importer: Importer;
  readonly step: Extract<ImportStep, { name: "run" }>;
}) {
  const { dryRun } = upload.choice;
  const verb = dryRun ? "Checking" : "Importing";
  const percent = progress === null ? null : Math.floor(shareDone(progress) * 100);
  useTitle(percent ?? 0);
  return (
    <StepCard title={isStopping ? "Stopping" : verb}>
      <progress
        aria-label={verb}
        className="import-progress"
        max={100}
        {...(percent === null ? {} : { value: percent, "aria-valuetext": `${percent} %` })}
      />
      {progress === null ? (
        <p>Asking the server where to start …</p>
      ) : (
        <Progress of={progress} samples={samples} isHalted={awaits !== null} />
      )}
      <div role="status">
        {awaits === "server" ? (
          <p className="warning">
            The server does not answer. It is asked again until it does; what it has is kept.
          </p>
        ) : null}
        {awaits === "network" ? (
          <p className="warning">
            This computer has no network. It goes on when that is back; what the server has is kept.
          </p>
        ) : null}
      </div>
      {/* In tenths: a screen reader says each change. */}
      <p className="sr-only" role="status">
        {percent === null ? "" : `${percent - (percent % 10)} %`}
      </p>
      {progress?.phase === "waiting_quota" ? null : (
        <p className="hint">
          {dryRun
            ? "Nothing is saved by this."
            : "You may look at other pages meanwhile, or close this one: choose the same files again later, and the import goes on where it stopped."}
        </p>
      )}
      <div className="actions">
        <button type="button" onClick={importer.stop} disabled={isStopping}>
          Cancel
        </button>
      </div>
    </StepCard>
  );
}

function Progress({
  of: progress,
  samples,
  isHalted,
}: {
  readonly of: ImportProgress;
  readonly samples: readonly Sample[];
  readonly isHalted: boolean;
}) {
  const pace = isHalted ? null : paceOf(samples, progress.totals);
  return (
    <>
      <p className="counts">{countsText(progress)}</p>
      <p className="outcomes">{outcomesText(progress.outcomes)}</p>
      {progress.phase === "waiting_quota" ? (
        <p className="warning" role="status">
          The server has saved as much as it may in a day. It goes on by itself{" "}
          {progress.estimatedEndAt === null
            ? "tomorrow"
            : `after ${momentText(new Date(progress.estimatedEndAt).toISOString())}`}{" "}
          if this page stays open; else choose the same files again then.
        </p>
      ) : (
        <p className="pace">{pace === null ? "" : paceText(pace)}</p>
      )}
    </>
  );
}

/** The title is what is seen of a page in the background. */
function useTitle(percent: number): void {
  useLayoutEffect(() => {
    document.title = `${percent} % · Import · Cofio`;
    return () => {
      document.title = "Import · Cofio";
    };
  }, [percent]);
}
