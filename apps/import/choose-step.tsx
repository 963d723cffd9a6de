import { useRef } from "hono/jsx/dom";
import type { Problem } from "./call-api.ts";
import type { Importer } from "./importer.ts";
import { LiveNote } from "./live-note.tsx";
import { PasteList } from "./paste-list.tsx";
import { ProblemAlert } from "./problem-alert.tsx";

export function ChooseStep({
  importer,
  problem,
}: {
  readonly importer: Importer;
  readonly problem: Problem | null;
}) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <LiveNote />
      <section class="card">
        <h1 tabindex={-1}>Import</h1>
        <p>
          The export of ChatGPT, Claude, Gemini, DeepSeek, Grok, Kimi or Open WebUI, of a coding
          agent, of another memory tool, or of Cofio, as it was downloaded. Importing the same file
          twice changes nothing.
        </p>
        <label class="drop">
          <strong>
            Drop files here, or <span class="link">choose them</span>
          </strong>
          <input
            class="sr-only"
            type="file"
            multiple
            aria-label="Files"
            ref={input}
            onChange={() => importer.choose([...(input.current?.files ?? [])])}
          />
          <small>
            Zips or what is in them, several at once, of any size. They are read on this computer;
            nothing is sent before you have seen what was found.
          </small>
        </label>
        <ProblemAlert problem={problem} />
      </section>
      <PasteList importer={importer} />
    </>
  );
}
