import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import type { App } from "../../account/account.ts";
import { undoneText, useChange } from "../../changes/change.ts";
import { Answer } from "../../states/answer.tsx";
import { Dialog } from "../../states/dialog.tsx";
import { Loading } from "../../states/states.tsx";
import { counted, inFigures } from "../../words/amounts.ts";
import { wroteText } from "./app-words.ts";
import { redoAll, undoAll, writesSince } from "./undo-all.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How far back, in milliseconds; null: to a time that the person gives. */
const SPANS: readonly { readonly name: string; readonly ms: number | null }[] = [
  { name: "the last hour", ms: HOUR_MS },
  { name: "the last 24 hours", ms: DAY_MS },
  { name: "the last 7 days", ms: 7 * DAY_MS },
  { name: "the last 30 days", ms: 30 * DAY_MS },
  { name: "since a certain time", ms: null },
  { name: "everything it ever wrote", ms: Infinity },
];

/** Takes back all that one app did from a time on. */
export function UndoDialog({
  app,
  isOpen,
  close,
}: {
  readonly app: App;
  readonly isOpen: boolean;
  readonly close: () => void;
}) {
  return (
    <Dialog title={`Undo what ${app.name} wrote`} isOpen={isOpen} close={close}>
      <UndoForm app={app} close={close} />
    </Dialog>
  );
}

function UndoForm({ app, close }: { readonly app: App; readonly close: () => void }) {
  const [opened] = useState(Date.now);
  const [span, setSpan] = useState(1);
  const [time, setTime] = useState("");
  const [done, setDone] = useState(0);
  const field = useId();
  const since = sinceOf(SPANS[span]?.ms ?? null, time, opened);
  const redo = useChange({
    make: (operations: readonly string[]) => redoAll(operations).then(() => ({})),
    say: () => "It is there again.",
  });
  const undo = useChange({
    make: async (from: string) => ({
      operation_id: null,
      ...(await undoAll(app.id, from, setDone)),
    }),
    say: undoneText,
    back: ({ operations }) => redo.mutate(operations),
  });
  const preview = useQuery({
    queryKey: ["operations", "of", app.id, since],
    queryFn: () => writesSince(app.id, since ?? ""),
    enabled: since !== null && !undo.isPending,
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (since !== null) undo.mutate(since, { onSuccess: close });
      }}
    >
      <label htmlFor={field}>
        How far back
        <select id={field} value={span} onChange={({ target }) => setSpan(Number(target.value))}>
          {SPANS.map(({ name }, index) => (
            <option key={name} value={index}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {SPANS[span]?.ms === null ? (
        <label>
          Since (by the clock of this device)
          <input
            type="datetime-local"
            value={time}
            required
            onChange={({ target }) => setTime(target.value)}
          />
        </label>
      ) : null}
      {since === null ? null : (
        <Answer query={preview} loading={<Loading lines={1} />}>
          {({ wrote, count, isAll }) => (
            <p>
              {count === 0
                ? "It wrote nothing in that time."
                : `${isAll ? "" : "At least "}${counted(count, "change")} of ${app.name}: ${wroteText(wrote)}.`}
            </p>
          )}
        </Answer>
      )}
      <p className="hint">
        What it saved or imported goes to the trash, what it changed or deleted comes back. What
        somebody else changed since stays as it is.
      </p>
      <div className="actions">
        <button
          className="danger-fill"
          disabled={since === null || undo.isPending || preview.data?.count === 0}
        >
          {undo.isPending ? "Undoing …" : "Undo all of that"}
        </button>
      </div>
      <p role="status" className="hint">
        {undo.isPending && done > 0 ? `${inFigures(done)} undone so far` : ""}
      </p>
    </form>
  );
}

/** ISO 8601; null: no time was given. */
function sinceOf(ms: number | null, time: string, opened: number): string | null {
  if (ms !== null) return new Date(Math.max(0, opened - ms)).toISOString();
  const given = Date.parse(time);
  return Number.isNaN(given) ? null : new Date(given).toISOString();
}
