/** What became of an import, as the server shows it to who has no script. */
import {
  capitalised,
  fileText,
  MAX_FILES_SHOWN,
  OUTCOMES,
  pluralOf,
  REASON_WORDS,
  type ShownReport,
} from "../transfer/import-words.ts";
import { ITEM_KINDS } from "../transfer/records.ts";

export function ImportReport({ report }: { readonly report: ShownReport }) {
  const kinds = ITEM_KINDS.filter((kind) => report.items.by_kind[kind].found > 0);
  const { skipped_reasons = [], rules = [], files, more_files = 0 } = report;
  const more = Math.max(0, files.length - MAX_FILES_SHOWN) + more_files;
  return (
    <>
      {kinds.length === 0 ? (
        <p class="empty">Nothing to import was found.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">
                <span class="sr-only">Outcome</span>
              </th>
              {kinds.map((kind) => (
                <th scope="col">{capitalised(pluralOf(kind, 2))}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {OUTCOMES.map((outcome) => (
              <tr>
                <th scope="row">{capitalised(outcome)}</th>
                {kinds.map((kind) => (
                  <td>{inFigures(report.items.by_kind[kind][outcome])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {rules.length === 0 ? null : (
        <>
          <h2>What your rules did</h2>
          <ul class="report">
            {rules.map(({ message }) => (
              <li>{message}</li>
            ))}
          </ul>
        </>
      )}
      {skipped_reasons.length === 0 ? null : (
        <>
          <h2>What was skipped</h2>
          <ul class="report">
            {skipped_reasons.map(({ kind, reason, count, examples }) => (
              <li>
                {inFigures(count)} × {REASON_WORDS[reason]} ({pluralOf(kind, count)})
                {examples.length === 0 ? null : (
                  <>
                    {": "}
                    <bdi>{examples.join(" · ")}</bdi>
                  </>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
      <h2>Files</h2>
      <ul class="report">
        {files.slice(0, MAX_FILES_SHOWN).map((file) => (
          <li>
            <bdi>{file.name}</bdi>: {fileText(file)}
          </li>
        ))}
        {more > 0 ? <li>and {inFigures(more)} more</li> : null}
      </ul>
    </>
  );
}

/** With the separators of thousands that the pages' language has. */
function inFigures(count: number): string {
  return FIGURES.format(count);
}

const FIGURES = new Intl.NumberFormat("en");
