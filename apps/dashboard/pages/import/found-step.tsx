import { useState } from "react";
import { pluralOf } from "../../../../src/transfer/import-words.ts";
import { ITEM_KINDS } from "../../../../src/transfer/records.ts";
import type { Survey } from "../../../../src/transfer/send.ts";
import { counted, inFigures } from "../../words/amounts.ts";
import { platformName } from "../../words/platform.ts";
import { FileList } from "./file-list.tsx";
import type { Importer } from "./importer.ts";
import { StepCard } from "./step-card.tsx";

export function FoundStep({
  importer,
  survey,
}: {
  readonly importer: Importer;
  readonly survey: Survey;
}) {
  const accounts = [...survey.accounts].sort(([, one], [, other]) => other - one);
  // The person's own is the one they have used most; they see the others, and decide.
  const [account, setAccount] = useState(accounts.length > 1 ? (accounts[0]?.[0] ?? null) : null);
  const send = (dryRun: boolean) => importer.send({ survey, choice: { dryRun, account } });
  const kinds = ITEM_KINDS.filter((kind) => survey.totals[kind] > 0);
  const read = survey.files.filter((file) => file.outcome === "read");
  const left = survey.files.filter((file) => file.outcome === "not_read");
  const platforms = [...new Set(read.map(({ source }) => platformName(source)))];
  return (
    <StepCard title="What was found">
      <p>
        {platforms.length === 0 ? null : <>From {platforms.join(", ")}. </>}
        Nothing has been sent yet.
      </p>
      {kinds.length === 0 ? <p className="empty">Nothing to import was found.</p> : null}
      <ul className="found-figures">
        {kinds.map((kind) => (
          <li key={kind}>
            <strong>{inFigures(survey.totals[kind])}</strong> {pluralOf(kind, survey.totals[kind])}
          </li>
        ))}
      </ul>
      <h3>Files</h3>
      <FileList files={read} />
      {left.length === 0 ? null : (
        <details className="files-left">
          <summary>{counted(left.length, "file is", "files are")} not read</summary>
          <FileList files={left.map((file) => ({ ...file, not_read: file.reason }))} />
        </details>
      )}
      {accounts.length < 2 ? null : (
        <fieldset>
          <legend>The files hold several accounts. Whose is to be imported?</legend>
          {[...accounts, [null, null] as const].map(([id, elements]) => (
            <label key={id ?? ""} className="tick">
              <input
                type="radio"
                name="account"
                checked={account === id}
                onChange={() => setAccount(id)}
              />
              <span>
                {id === null ? "All of them" : <bdi>{id}</bdi>}
                {elements === null ? null : ` (${counted(elements, "entry", "entries")})`}
              </span>
            </label>
          ))}
        </fieldset>
      )}
      <div className="actions">
        {kinds.length === 0 ? null : (
          <>
            <button type="button" className="primary" onClick={() => send(true)}>
              Check first
            </button>
            <button type="button" onClick={() => send(false)}>
              Import
            </button>
          </>
        )}
        <button type="button" onClick={importer.restart}>
          Choose other files
        </button>
      </div>
      <p className="hint">
        Checking compares the files with what you have, shows the report that an import would give,
        and saves nothing.
      </p>
    </StepCard>
  );
}
