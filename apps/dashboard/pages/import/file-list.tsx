import {
  fileText,
  MAX_FILES_SHOWN,
  type ShownFile,
} from "../../../../src/transfer/import-words.ts";
import { inFigures } from "../../words/amounts.ts";

/** @param others how many there are beyond those */
export function FileList({
  files,
  others = 0,
}: {
  readonly files: readonly ShownFile[];
  readonly others?: number | undefined;
}) {
  const more = Math.max(0, files.length - MAX_FILES_SHOWN) + others;
  return (
    <ul className="report">
      {files.slice(0, MAX_FILES_SHOWN).map((file, index) => (
        <li key={index}>
          <bdi className="others-words">{file.name}</bdi>: {fileText(file)}
        </li>
      ))}
      {more > 0 ? <li>and {inFigures(more)} more</li> : null}
    </ul>
  );
}
