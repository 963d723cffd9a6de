import { useState } from "hono/jsx/dom";
import { FileList, inFigures, pluralOf } from "../../src/auth/import-report.tsx";
import { ITEM_KINDS } from "../../src/transfer/records.ts";
import type { Survey } from "../../src/transfer/send.ts";
import type { Importer } from "./importer.ts";

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
  return (
    <section class="card">
      <h1 tabindex={-1}>What was found</h1>
      <p>Nothing has been sent yet.</p>
      {kinds.length === 0 ? <p class="empty">Nothing to import was found.</p> : null}
      <ul class="figures">
        {kinds.map((kind) => (
          <li>
            <strong>{inFigures(survey.totals[kind])}</strong> {pluralOf(kind, survey.totals[kind])}
          </li>
        ))}
      </ul>
      <h2>Files</h2>
      <FileList files={read} />
      {left.length === 0 ? null : (
        <details class="left">
          <summary>
            {left.length === 1 ? "1 file is" : `${inFigures(left.length)} files are`} not read
          </summary>
          <FileList files={left.map((file) => ({ ...file, not_read: file.reason }))} />
        </details>
      )}
      {accounts.length < 2 ? null : (
        <fieldset>
          <legend>The files hold several accounts. Whose is to be imported?</legend>
          {[...accounts, [null, null] as const].map(([id, elements]) => (
            <label class="tick">
              <input
                type="radio"
                name="account"
                checked={account === id}
                onChange={() => setAccount(id)}
              />
              <span>
                {id === null ? "All of them" : <bdi>{id}</bdi>}
                {elements === null ? null : ` (${inFigures(elements)} entries)`}
              </span>
            </label>
          ))}
        </fieldset>
      )}
      <div class="actions">
        {kinds.length === 0 ? null : (
          <>
            <button type="button" class="primary" onClick={() => send(false)}>
              Import
            </button>
            <button type="button" onClick={() => send(true)}>
              Check first
            </button>
          </>
        )}
        <button type="button" onClick={importer.restart}>
          Choose other files
        </button>
      </div>
      <p class="hint">
        Checking compares the files with what you have, shows the report that an import would give,
        and saves nothing.
      </p>
    </section>
  );
}
