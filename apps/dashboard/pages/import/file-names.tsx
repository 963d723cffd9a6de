import { inFigures } from "../../words/amounts.ts";
import type { ListedImport } from "./use-imports.ts";

/** Names that tell an import from the others. Arbitrary. */
const SHOWN = 2;

/** `conversations-000.json, memories.json and 3 more`; of those that were read, where any was. */
export function FileNames({
  of: { files, more_files: others = 0 },
}: {
  readonly of: ListedImport;
}) {
  const read = files.filter((file) => "format" in file);
  const named = (read.length === 0 ? files : read).slice(0, SHOWN);
  const more = files.length + others - named.length;
  return (
    <>
      {named.map(({ name }, index) => (
        <span key={index}>
          {index === 0 ? "" : ", "}
          <bdi className="others-words">{name}</bdi>
        </span>
      ))}
      {more > 0 ? ` and ${inFigures(more)} more` : ""}
    </>
  );
}
