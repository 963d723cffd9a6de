import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { answerOf, api } from "../../api.ts";
import { Card } from "../../shell/page.tsx";
import { Answer } from "../../states/answer.tsx";
import { ConfirmDialog } from "../../states/dialog.tsx";
import { Loading } from "../../states/states.tsx";
import { counted, inFigures } from "../../words/amounts.ts";
import { LeftAlone } from "./left-alone.tsx";
import { undoneWords, useUndoClient, type Progress } from "./use-undo-client.ts";
import { previewWords } from "./preview-words.ts";
import "../../styles/history.css";

const HOUR_MS = 3_600_000;

/** All that one app did from a time on, taken back at once. */
export function UndoClient() {
  const clients = useQuery({
    queryKey: ["operations", "clients"],
    queryFn: () => answerOf(api.operations.clients.$get()),
  });
  return (
    <Card title="Undo what one app did">
      <Answer query={clients} loading={<Loading lines={1} />}>
        {({ clients: all }) =>
          all.length === 0 ? (
            <p className="empty">As soon as an app has changed something, it can be chosen here.</p>
          ) : (
            <Chooser clients={all} />
          )
        }
      </Answer>
    </Card>
  );
}

interface Client {
  readonly grant_id: string;
  readonly client: string;
  readonly operations: number;
}

function Chooser({ clients }: { readonly clients: readonly Client[] }) {
  const id = useId();
  const [grantId, setGrantId] = useState("");
  const [since, setSince] = useState(() => localTime(Date.now() - 24 * HOUR_MS));
  const [isAsking, setAsking] = useState(false);
  const { progress, run } = useUndoClient();
  const client = clients.find((one) => one.grant_id === grantId);
  const time = Date.parse(since);
  const asked =
    client === undefined || Number.isNaN(time)
      ? null
      : { grant_id: client.grant_id, since: new Date(time).toISOString() };
  const preview = useQuery({
    queryKey: ["operations", "preview", asked],
    queryFn: () => answerOf(api.undo.preview.$post({ json: asked ?? { grant_id: "", since: "" } })),
    enabled: asked !== null,
  });
  return (
    <>
      <p>
        If an assistant wrote nonsense, take back all that it did from a time on. What others did
        stays, and so does what was changed again since.
      </p>
      <div className="row undo-client">
        <label htmlFor={`${id}-client`}>
          App
          <select
            id={`${id}-client`}
            value={grantId}
            onChange={({ target }) => setGrantId(target.value)}
          >
            <option value="">Choose …</option>
            {clients.map((one) => (
              <option key={one.grant_id} value={one.grant_id}>
                {one.client} ({counted(one.operations, "change")})
              </option>
            ))}
          </select>
        </label>
        <label htmlFor={`${id}-since`}>
          Since
          <input
            id={`${id}-since`}
            type="datetime-local"
            value={since}
            onChange={({ target }) => setSince(target.value)}
          />
        </label>
      </div>
      {asked === null || client === undefined ? null : (
        <div className="undo-preview" role="status">
          <Answer query={preview} loading={<Loading lines={1} />}>
            {(found) => (
              <>
                <p>{previewWords(found)}</p>
                {found.operations === 0 ? null : (
                  <button
                    type="button"
                    className="danger"
                    disabled={progress?.isRunning === true}
                    onClick={() => setAsking(true)}
                  >
                    Undo all of it …
                  </button>
                )}
                <ConfirmDialog
                  title={`Undo what ${client.client} did?`}
                  action={`Undo ${counted(found.operations, "change")}`}
                  isOpen={isAsking}
                  close={() => setAsking(false)}
                  confirm={() => void run(asked, found.operations)}
                >
                  <p>{previewWords(found)}</p>
                  <p>
                    What it saved goes to the trash, what it changed or deleted comes back as it
                    was. Each step is listed under “All changes”, where it can be redone.
                  </p>
                </ConfirmDialog>
              </>
            )}
          </Answer>
        </div>
      )}
      {progress === null ? null : <Report progress={progress} />}
    </>
  );
}

function Report({ progress }: { readonly progress: Progress }) {
  const { done, total, isRunning, left, restoredBackups } = progress;
  return (
    <div className="undo-report" role="status">
      {isRunning ? (
        <label>
          Undoing {inFigures(done)} of {counted(total, "change")} …
          <progress value={done} max={Math.max(total, done, 1)} />
        </label>
      ) : (
        <p>
          <b>{undoneWords(progress)}</b>
        </p>
      )}
      {restoredBackups === 0 ? null : (
        <p>
          {counted(restoredBackups, "restored backup")} cannot be undone: restore the backup that
          was made before it instead.
        </p>
      )}
      {left.length === 0 ? null : <LeftAlone left={left} />}
    </div>
  );
}

/** As a field of the browser has it: in its own time zone, to the minute. */
function localTime(time: number): string {
  const offset = new Date(time).getTimezoneOffset() * 60_000;
  return new Date(time - offset).toISOString().slice(0, 16);
}
