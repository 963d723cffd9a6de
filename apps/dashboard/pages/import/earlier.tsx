import { Card } from "../../shell/page.tsx";
import { Answer } from "../../states/answer.tsx";
import { Empty } from "../../states/states.tsx";
import { EarlierRow } from "./earlier-row.tsx";
import { useIsUndone } from "./use-is-undone.ts";
import { useFreshList, useImports } from "./use-imports.ts";

/** Imports of the past with their reports. */
export function Earlier() {
  useFreshList();
  const { list, imports } = useImports();
  const isUndone = useIsUndone();
  const earlier = imports.filter((one) => !one.unfinished);
  return (
    <Card title="Earlier imports">
      <Answer query={list}>
        {() =>
          earlier.length === 0 ? (
            <Empty title="Nothing was brought in yet." icon="import">
              Every import is listed here with its report, and can be undone.
            </Empty>
          ) : (
            <ul className="rows">
              {earlier.map((one) => (
                <li key={one.job.id}>
                  <EarlierRow earlier={one} isUndone={isUndone(one.operation_id)} />
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
      {list.hasNextPage ? (
        <div className="actions">
          <button
            type="button"
            disabled={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            Show older ones
          </button>
        </div>
      ) : null}
    </Card>
  );
}
