import {
  capitalised,
  OUTCOMES,
  pluralOf,
  REASON_WORDS,
  type ShownReport,
} from "../../../../src/transfer/import-words.ts";
import { ITEM_KINDS } from "../../../../src/transfer/records.ts";
import { inFigures } from "../../words/amounts.ts";
import { FileList } from "./file-list.tsx";
import { countedOf } from "./progress-words.ts";

/** What became of everything in the files. It adds up. */
export function Report({ report }: { readonly report: ShownReport }) {
  const { skipped_reasons = [], rules = [], files, more_files } = report;
  const counts = report.items.by_kind;
  const kinds = ITEM_KINDS.filter((kind) => counts[kind].found > 0);
  const { done, totals } = countedOf(counts);
  return (
    <>
      {kinds.length === 0 ? (
        <p className="empty">Nothing to import was found.</p>
      ) : (
        <table className="report-table">
          <thead>
            <tr>
              <th scope="col">
                <span className="sr-only">Outcome</span>
              </th>
              {kinds.map((kind) => (
                <th key={kind} scope="col">
                  {capitalised(pluralOf(kind, 2))}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {OUTCOMES.map((outcome) => (
              <tr key={outcome}>
                <th scope="row">{capitalised(outcome)}</th>
                {kinds.map((kind) => (
                  <td key={kind}>{inFigures(counts[kind][outcome])}</td>
                ))}
              </tr>
            ))}
            {kinds.some((kind) => totals[kind] > done[kind]) ? (
              <tr>
                <th scope="row">Still to come</th>
                {kinds.map((kind) => (
                  <td key={kind}>{inFigures(totals[kind] - done[kind])}</td>
                ))}
              </tr>
            ) : null}
          </tbody>
        </table>
      )}
      {rules.length === 0 ? null : (
        <>
          <h3>What your rules did</h3>
          <ul className="report">
            {rules.map(({ message }) => (
              <li key={message}>{message}</li>
            ))}
          </ul>
        </>
      )}
      {skipped_reasons.length === 0 ? null : (
        <>
          <h3>What was skipped</h3>
          <ul className="report">
            {skipped_reasons.map(({ kind, reason, count, examples }) => (
              <li key={`${kind} ${reason}`}>
                {inFigures(count)} × {REASON_WORDS[reason]} ({pluralOf(kind, count)})
                {examples.length === 0 ? null : ": "}
                {examples.map((example, index) => (
                  <span key={index}>
                    {index === 0 ? "" : " · "}
                    <bdi className="others-words">{example}</bdi>
                  </span>
                ))}
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>Files</h3>
      <FileList files={files} others={more_files} />
    </>
  );
}
