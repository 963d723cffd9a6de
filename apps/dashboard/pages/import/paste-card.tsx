import { useDeferredValue, useMemo, useState } from "react";
import { readPastedList } from "../../../../src/transfer/formats/pasted-list.ts";
import type { ReaderProblem } from "../../../import/messages.ts";
import { Card } from "../../shell/page.tsx";
import { CopyButton } from "../../states/copy-line.tsx";
import { counted, inFigures } from "../../words/amounts.ts";
import type { Importer } from "./importer.ts";
import { ProblemAlert } from "./problem-alert.tsx";
import { PROMPTS } from "./prompts.ts";

/** Enough to see whether it was read as it was meant. Arbitrary. */
const SHOWN = 5;

export function PasteCard({
  importer,
  problem,
}: {
  readonly importer: Importer;
  readonly problem: ReaderProblem | null;
}) {
  const [list, setList] = useState(importer.list);
  const isEmpty = list.trim() === "";
  return (
    <Card title="Paste what your assistant remembers">
      <Prompts />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          importer.sendList(list, { dryRun: false });
        }}
      >
        <label>
          Your list
          <textarea
            rows={6}
            required
            value={list}
            placeholder="- Prefers metric units"
            onChange={({ target }) => {
              setList(target.value);
              importer.keepList(target.value);
            }}
          />
          <small>A memory a line, with or without bullets, numbers and dates.</small>
        </label>
        <ReadAs list={list} />
        <ProblemAlert problem={problem} />
        <div className="actions">
          <button
            type="button"
            disabled={isEmpty}
            onClick={() => importer.sendList(list, { dryRun: true })}
          >
            Check list
          </button>
          <button disabled={isEmpty}>Import list</button>
        </div>
      </form>
    </Card>
  );
}

/** The question to the assistant, to be copied. */
function Prompts() {
  const [chosen, setChosen] = useState(0);
  const { assistant, about, text } = PROMPTS[chosen] ?? PROMPTS[0];
  return (
    <>
      <fieldset className="kinds">
        <legend>Ask your assistant</legend>
        {PROMPTS.map((prompt, index) => (
          <label key={prompt.assistant}>
            <input
              type="radio"
              name="assistant"
              className="sr-only"
              checked={index === chosen}
              onChange={() => setChosen(index)}
            />
            {prompt.assistant}
          </label>
        ))}
      </fieldset>
      <p className="hint">{about} Paste this into a new chat, and its answer below.</p>
      <div className="copy prompt">
        <p>{text}</p>
        <CopyButton text={text} label={`the question to ${assistant}`} />
      </div>
    </>
  );
}

/** What the lines are taken for, before anything is sent. */
function ReadAs({ list }: { readonly list: string }) {
  const settled = useDeferredValue(list);
  const memories = useMemo(() => readPastedList(settled), [settled]);
  if (settled.trim() === "") return null;
  return (
    <div className="read-as">
      <p role="status">{counted(memories.length, "memory", "memories")} found:</p>
      <ul className="report">
        {memories.slice(0, SHOWN).map(({ content, tags }, index) => (
          <li key={index}>
            <bdi className="others-words">{content}</bdi>
            {tags.map((tag) => (
              <small key={tag}>
                {" "}
                <bdi className="others-words">{tag}</bdi>
              </small>
            ))}
          </li>
        ))}
        {memories.length > SHOWN ? <li>and {inFigures(memories.length - SHOWN)} more</li> : null}
      </ul>
    </div>
  );
}
