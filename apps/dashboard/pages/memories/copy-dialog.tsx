import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api } from "../../api.ts";
import type { FoundMemory } from "../../memories/memory.ts";
import { Answer } from "../../states/answer.tsx";
import { Dialog } from "../../states/dialog.tsx";
import { tell } from "../../states/toasts.tsx";
import { counted, inFigures } from "../../words/amounts.ts";
import { blockOf, TARGETS } from "./block.ts";

/** The chosen memories as one text for another assistant. */
export function CopyDialog({
  memories,
  isOpen,
  close,
}: {
  readonly memories: readonly FoundMemory[];
  readonly isOpen: boolean;
  readonly close: () => void;
}) {
  return (
    <Dialog title="Copy for an assistant" isOpen={isOpen} close={close}>
      <Block memories={memories} close={close} />
    </Dialog>
  );
}

function Block({
  memories,
  close,
}: {
  readonly memories: readonly FoundMemory[];
  readonly close: () => void;
}) {
  const [at, setAt] = useState(0);
  const target = TARGETS[at] ?? TARGETS[0];
  const whole = useQuery({
    queryKey: ["memories", "whole", memories.map(({ id, version }) => [id, version])],
    queryFn: () => Promise.all(memories.map(contentOf)),
    meta: { live: false },
  });
  if (target === undefined) return null;
  return (
    <Answer query={whole}>
      {(contents) => {
        const { text, fitting } = blockOf(contents, target.maxChars);
        const copy = async () => {
          await navigator.clipboard.writeText(text);
          tell(`Copied: ${counted(fitting, "memory", "memories")}.`);
          close();
        };
        return (
          <>
            <fieldset className="targets">
              <legend>For</legend>
              {TARGETS.map(({ name }, index) => (
                <label key={name} className="tick">
                  <input
                    type="radio"
                    name="target"
                    checked={index === at}
                    onChange={() => setAt(index)}
                  />
                  {name}
                </label>
              ))}
            </fieldset>
            <p className="hint">
              Paste it into {target.place}. It takes {target.isPublished ? "" : "about "}
              {inFigures(target.maxChars)} characters; this has {inFigures(text.length)}.
            </p>
            {fitting === contents.length ? null : (
              <p className="warning" role="status">
                {fitting} of {contents.length} fit. Choose fewer or shorter ones to take the rest.
              </p>
            )}
            <label>
              Text
              <textarea readOnly rows={8} value={text} dir="auto" />
            </label>
            <div className="actions">
              <button
                type="button"
                className="primary"
                disabled={fitting === 0}
                onClick={() => void copy()}
              >
                Copy
              </button>
            </div>
          </>
        );
      }}
    </Answer>
  );
}

/** A search gives long ones in part. */
async function contentOf({ id, content }: FoundMemory): Promise<string> {
  if (content !== undefined) return content;
  const { memory } = await answerOf(api.memories[":id"].$get({ param: { id }, query: {} }));
  return memory.content;
}
