import { Card } from "../../shell/page.tsx";
import { useRunningImports } from "./live-imports.ts";
import { UnfinishedRow } from "./unfinished-row.tsx";
import { useImports } from "./use-imports.ts";

/** Imports that the same files go on with; nothing where there is none. @param own those that this page was at work on, and is no more */
export function Unfinished({ own }: { readonly own: ReadonlySet<string> }) {
  const { imports } = useImports();
  const running = useRunningImports();
  const unfinished = imports.filter(
    ({ unfinished, job: { id } }) => unfinished && (own.has(id) || !running.has(id)),
  );
  return unfinished.length === 0 ? null : (
    <Card title="Unfinished">
      <p>Choose the same files again, and each goes on where it stopped.</p>
      <ul className="rows">
        {unfinished.map((one) => (
          <li key={one.job.id}>
            <UnfinishedRow unfinished={one} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
