import { useRef } from "react";
import type { ReaderProblem } from "../../../import/messages.ts";
import type { Importer } from "./importer.ts";
import { ProblemAlert } from "./problem-alert.tsx";
import { StepCard } from "./step-card.tsx";

export function ChooseStep({
  importer,
  problem,
}: {
  readonly importer: Importer;
  readonly problem: ReaderProblem | null;
}) {
  const folder = useRef<HTMLInputElement>(null);
  const choose = ({ files }: HTMLInputElement) => importer.choose([...(files ?? [])]);
  return (
    <StepCard title="From an export">
      <p>
        The export of ChatGPT, Claude, Gemini, DeepSeek, Grok, Kimi or Open WebUI, of a coding
        agent, of another memory tool, or of Cofio, as it was downloaded. Importing the same file
        twice changes nothing.
      </p>
      <label className="drop">
        <strong>
          Drop files here, or <span className="drop-link">choose them</span>
        </strong>
        <input
          className="sr-only"
          type="file"
          multiple
          aria-label="Files"
          onChange={({ target }) => choose(target)}
        />
        <small>
          Zips or what is in them, several at once, of any size. They are read on this computer;
          nothing is sent before you have seen what was found.
        </small>
      </label>
      <ProblemAlert problem={problem} />
      <div className="actions">
        <button type="button" onClick={() => folder.current?.click()}>
          Choose a folder
        </button>
        <input
          type="file"
          hidden
          ref={(input) => {
            folder.current = input;
            if (input !== null) input.webkitdirectory = true;
          }}
          onChange={({ target }) => choose(target)}
        />
      </div>
    </StepCard>
  );
}
