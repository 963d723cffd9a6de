import { useState } from "react";
import { answerOf, api } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { isUnderWay } from "../../changes/under-way.ts";
import { useBackups, type Backup } from "../../changes/use-backups.ts";
import { Icon } from "../../shell/icon.tsx";
import { Card } from "../../shell/page.tsx";
import { navigate, useQueryParams } from "../../shell/router.tsx";
import { Answer } from "../../states/answer.tsx";
import { ConfirmDialog } from "../../states/dialog.tsx";
import { Empty } from "../../states/states.tsx";
import { bytesText, dayText, momentText } from "../../words/amounts.ts";
import { contentsText } from "../../words/contents.ts";
import { Moment } from "../../words/moment.tsx";
import { RestoreDialog } from "./restore-dialog.tsx";
import { RestoreProgress } from "./restore-progress.tsx";

/** Copies of the account on the server: making, verifying and restoring them. */
export function BackupsCard() {
  const backups = useBackups();
  const start = useChange({
    make: () => answerOf(api.backups.$post()).then(() => ({})),
    say: () => "A backup is being written.",
  });
  const [restoring, setRestoring] = useState<Backup | null>(null);
  const [removing, setRemoving] = useState<Backup | null>(null);
  const restoreId = useQueryParams().get("restore");
  const isRunning = backups.data?.backups.some(({ state }) => isUnderWay(state)) === true;
  return (
    <Card
      title="Backups"
      more={
        <button
          type="button"
          disabled={isRunning || start.isPending}
          onClick={() => start.mutate(undefined)}
        >
          {isRunning ? "Backing up …" : "Back up now"}
        </button>
      }
    >
      <p>
        An encrypted copy of everything, made by itself in the night after a change, and kept for
        days, weeks and months. Verifying one restores it on trial and compares every row.
      </p>
      {restoreId === null ? null : <RestoreProgress id={restoreId} />}
      <Answer query={backups}>
        {({ backups: all }) =>
          all.length === 0 ? (
            <Empty title="No backup yet.">
              The first is made in the night after the first change, or now.
            </Empty>
          ) : (
            <ul className="rows">
              {all.map((backup) => (
                <li key={backup.id}>
                  <BackupRow
                    backup={backup}
                    restore={() => setRestoring(backup)}
                    remove={() => setRemoving(backup)}
                  />
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
      <RestoreDialog
        key={restoring?.id}
        backup={restoring}
        close={() => setRestoring(null)}
        begun={(id) => navigate(`/export?restore=${id}`, { replace: true })}
      />
      <RemoveDialog
        key={`remove ${removing?.id}`}
        backup={removing}
        close={() => setRemoving(null)}
      />
    </Card>
  );
}

function BackupRow({
  backup,
  restore,
  remove,
}: {
  readonly backup: Backup;
  readonly restore: () => void;
  readonly remove: () => void;
}) {
  const rehearse = useChange({
    make: () =>
      answerOf(api.backups[":id"].rehearse.$post({ param: { id: backup.id } })).then(() => ({})),
    say: () => "The backup is being restored on trial.",
  });
  const { state, made_by: client, created_at: time, rows, size_bytes: bytes } = backup;
  const name = time == null ? backup.id : momentText(time);
  const isFinished = state === "finished";
  return (
    <>
      <Icon name={isFinished ? "check" : isUnderWay(state) ? "history" : "alert"} />
      <div className="row-words wraps">
        <span>{name}</span>
        <small>
          by <bdi>{client}</bdi>
          {rows === undefined ? null : <> · {contentsText(rows)}</>}
          {bytes == null ? null : <> · {bytesText(bytes)}</>}
          {backup.kept_until == null ? null : <> · kept until {dayText(backup.kept_until)}</>}
        </small>
        <small>
          <Verdict backup={backup} />
        </small>
      </div>
      {isFinished ? (
        <div className="row-actions">
          <button
            type="button"
            className="quiet"
            aria-label={`Verify the backup of ${name}`}
            disabled={rehearse.isPending || backup.rehearsal?.state === "running"}
            onClick={() => rehearse.mutate(undefined)}
          >
            Verify
          </button>
          <button
            type="button"
            className="quiet"
            aria-label={`Restore the backup of ${name}`}
            onClick={restore}
          >
            Restore …
          </button>
          <button
            type="button"
            className="danger"
            aria-label={`Delete the backup of ${name}`}
            onClick={remove}
          >
            Delete …
          </button>
        </div>
      ) : null}
    </>
  );
}

/** How it stands with a backup, in a sentence. */
function Verdict({
  backup: { state, rehearsal, verified_at: verified },
}: {
  readonly backup: Backup;
}) {
  if (isUnderWay(state)) return "Being written …";
  if (state !== "finished") return <span className="alert">Failed. Make another one.</span>;
  if (rehearsal?.state === "running") return "Being verified …";
  if (rehearsal?.state === "failed") {
    return (
      <span className="alert">
        Verifying failed{rehearsal.problem === undefined ? "." : `: ${rehearsal.problem}`}
      </span>
    );
  }
  if (verified == null) return "Not verified yet";
  return (
    <>
      Verified <Moment time={verified} />: everything in it could be restored
    </>
  );
}

/** No undo brings a backup back. */
function RemoveDialog({
  backup,
  close,
}: {
  readonly backup: Backup | null;
  readonly close: () => void;
}) {
  const remove = useChange({
    make: (id: string) => answerOf(api.backups[":id"].$delete({ param: { id } })).then(() => ({})),
    say: () => "The backup was deleted.",
  });
  return (
    <ConfirmDialog
      title="Delete this backup?"
      action="Delete the backup"
      typed="delete"
      isOpen={backup !== null}
      close={close}
      confirm={() => {
        if (backup !== null) remove.mutate(backup.id);
      }}
    >
      <p>
        The backup of {backup?.created_at == null ? "" : momentText(backup.created_at)} is removed
        for good. Your account stays as it is.
      </p>
    </ConfirmDialog>
  );
}
