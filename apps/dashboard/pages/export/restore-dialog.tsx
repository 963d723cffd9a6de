import { useState } from "react";
import { answerOf, api } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { ConfirmDialog } from "../../states/dialog.tsx";
import { momentText } from "../../words/amounts.ts";
import { contentsText } from "../../words/contents.ts";
import type { Backup } from "../../changes/use-backups.ts";

type Mode = "merge" | "whole";

const MODES: readonly { readonly mode: Mode; readonly name: string; readonly about: string }[] = [
  {
    mode: "merge",
    name: "Bring back what is missing",
    about: "What the backup has and the account has not comes back. Nothing else is touched.",
  },
  {
    mode: "whole",
    name: "Make everything as it was then",
    about:
      "What was saved, changed or imported since then goes, your memory rules of today included.",
  },
];

/** Says what will happen, and asks for a word. @param begun with the id of the restore */
export function RestoreDialog({
  backup,
  close,
  begun,
}: {
  readonly backup: Backup | null;
  readonly close: () => void;
  readonly begun: (id: string) => void;
}) {
  const [mode, setMode] = useState<Mode>("merge");
  const restore = useChange({
    make: (id: string) =>
      answerOf(api.backups[":id"].restore.$post({ param: { id }, json: { mode } })).then(
        ({ restore }) => {
          begun(restore.id);
          return {};
        },
      ),
    say: () => "The restore has begun.",
  });
  return (
    <ConfirmDialog
      title="Restore this backup?"
      action="Restore"
      typed="restore"
      isOpen={backup !== null}
      close={close}
      confirm={() => {
        if (backup !== null) restore.mutate(backup.id);
      }}
    >
      {backup === null ? null : (
        <p>
          It is of {backup.created_at == null ? "an unknown time" : momentText(backup.created_at)}{" "}
          and holds {contentsText(backup.rows ?? {})}.
        </p>
      )}
      <fieldset className="formats">
        <legend>How</legend>
        {MODES.map(({ mode: one, name, about }) => (
          <label key={one} className="format">
            <input type="radio" name="mode" checked={mode === one} onChange={() => setMode(one)} />
            <span>
              {name}
              <small>{about}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <p>
        First the backup is checked, and the account as it is now is backed up: that backup is the
        way back. Let assistants and imports rest until it is done; what they write meanwhile may be
        lost.
      </p>
    </ConfirmDialog>
  );
}
