import { useLayoutEffect } from "hono/jsx/dom";
import type { ImportProgress } from "../../src/transfer/send.ts";
import type { Importer, ImportStep } from "./importer.ts";
import { countsText, moment, shareDone, timeLeft } from "./progress-words.ts";

export function RunStep({
  importer,
  step: { upload, progress, isDelayed, isStopping },
}: {
  readonly importer: Importer;
  readonly step: Extract<ImportStep, { name: "run" }>;
}) {
  const verb = upload.choice.dryRun ? "Checking" : "Importing";
  const share = progress === null ? null : shareDone(progress);
  const percent = Math.floor((share ?? 0) * 100);
  // Not useEffect, which waits for a frame: a page in the background gets none, and there the title is what is seen.
  useLayoutEffect(() => {
    const before = document.title;
    document.title = `${percent} % · ${before}`;
    return () => {
      document.title = before;
    };
  }, [percent]);
  return (
    <section class="card">
      <h1 tabindex={-1}>{isStopping ? "Stopping" : verb}</h1>
      <progress
        aria-label={verb}
        max={1}
        {...(share === null ? {} : { value: share.toFixed(4) })}
      />
      {progress === null ? <p>Asking the server where to start …</p> : <Progress of={progress} />}
      <div role="status">
        {isDelayed ? (
          <p class="warning">
            The server does not answer. It is asked again until it does; what it has is kept.
          </p>
        ) : null}
      </div>
      {/* In tenths: a screen reader says each change. */}
      <p class="sr-only" role="status">
        {percent - (percent % 10)} %
      </p>
      {progress?.phase === "waiting_quota" ? null : (
        <p class="hint">
          {upload.choice.dryRun
            ? "Nothing is saved by this."
            : "You may close this page. Choose the same files again later, and the import goes on where it stopped."}
        </p>
      )}
      <div class="actions">
        <button type="button" onClick={importer.stop} disabled={isStopping}>
          Cancel
        </button>
      </div>
    </section>
  );
}

function Progress({ of: progress }: { readonly of: ImportProgress }) {
  return (
    <>
      <p class="counts">{countsText(progress)}</p>
      {progress.phase === "waiting_quota" ? (
        <p class="warning" role="status">
          The server has saved as much as it may in a day. It goes on by itself{" "}
          {progress.estimatedEndAt === null ? "tomorrow" : moment(progress.estimatedEndAt)} if this
          page stays open; else choose the same files again then.
        </p>
      ) : (
        <p class="hint">
          {progress.estimatedEndAt === null ? "" : timeLeft(progress.estimatedEndAt - Date.now())}
        </p>
      )}
    </>
  );
}
