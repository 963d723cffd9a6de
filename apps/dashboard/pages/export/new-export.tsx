import { useState } from "react";
import { answerOf, api } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Card } from "../../shell/page.tsx";
import { FORMATS, type Format } from "./formats.ts";

/** Which format, and what of it. */
export function NewExport() {
  const [format, setFormat] = useState<Format>("cofio");
  const [parts, setParts] = useState<readonly Part[]>(PARTS);
  const canChoose = format === "json" || format === "markdown";
  const start = useChange({
    make: () =>
      answerOf(
        api.exports.$post({
          json: {
            format,
            deliver: "archive",
            ...(canChoose ? { include: [...parts] } : {}),
          },
        }),
      ).then(({ job }) => ({ operation_id: null, state: job?.state })),
    say: ({ state }) =>
      state === "finished" ? "The export is ready." : "The export is being written.",
  });
  return (
    <Card title="Export">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          start.mutate(undefined);
        }}
      >
        <fieldset className="formats">
          <legend>Format</legend>
          {FORMATS.map(({ format: one, name, about }) => (
            <label key={one} className="format">
              <input
                type="radio"
                name="format"
                checked={format === one}
                onChange={() => setFormat(one)}
              />
              <span>
                {name}
                <small>{about}</small>
              </span>
            </label>
          ))}
        </fieldset>
        {canChoose ? (
          <fieldset>
            <legend>What goes in</legend>
            {PARTS.map((part) => (
              <label key={part} className="tick">
                <input
                  type="checkbox"
                  checked={parts.includes(part)}
                  onChange={({ target }) =>
                    setParts(
                      PARTS.filter((one) => (one === part ? target.checked : parts.includes(one))),
                    )
                  }
                />
                {part === "memories" ? "Memories" : "Conversations"}
              </label>
            ))}
          </fieldset>
        ) : null}
        <div className="actions">
          <button
            className="primary"
            disabled={start.isPending || (canChoose && parts.length === 0)}
          >
            {start.isPending ? "Exporting …" : "Export"}
          </button>
        </div>
      </form>
    </Card>
  );
}

type Part = "memories" | "conversations";
const PARTS: readonly Part[] = ["memories", "conversations"];
