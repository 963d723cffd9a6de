import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api } from "../../api.ts";
import type { Undone } from "../../changes/change.ts";
import { OperationRow } from "../../changes/operation-list.tsx";
import { standingsOf } from "../../changes/standing.ts";
import { EndlessList } from "../../lists/endless-list.tsx";
import { Card, Page as Frame } from "../../shell/page.tsx";
import { Answer } from "../../states/answer.tsx";
import { Empty } from "../../states/states.tsx";
import { dayText } from "../../words/amounts.ts";
import { UndoClient } from "./undo-client.tsx";
import { LeftAlone } from "./left-alone.tsx";

const PAGE = 50;
const ROW_PX = 72;

/** All that was done to the account, by whom, and the way back. */
export function Page() {
  const [undone, setUndone] = useState<Undone | null>(null);
  return (
    <Frame
      title="History"
      lead="Everything that was changed, by you and by your assistants. Each change can be undone."
    >
      {undone === null || undone.left.length === 0 ? null : (
        <Card
          title="Not undone"
          more={
            <button type="button" className="quiet" onClick={() => setUndone(null)}>
              Close
            </button>
          }
        >
          <LeftAlone left={undone.left} />
        </Card>
      )}
      <UndoClient />
      <Card title="All changes">
        <Changes onUndone={setUndone} />
      </Card>
    </Frame>
  );
}

function Changes({ onUndone }: { readonly onUndone: (undone: Undone) => void }) {
  const pages = useInfiniteQuery({
    queryKey: ["operations", "all"],
    queryFn: ({ pageParam }) =>
      answerOf(
        api.operations.$get({
          query: { limit: PAGE, ...(pageParam === null ? {} : { before: pageParam }) },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_before: next }) => next,
  });
  return (
    <Answer query={pages}>
      {({ pages: read }) => {
        const operations = read.flatMap((page) => page.operations);
        const standings = standingsOf(operations);
        return operations.length === 0 ? (
          <Empty title="Nothing was changed yet." icon="history">
            What your assistants save, and what you change or import, is listed here, and can be
            undone.
          </Empty>
        ) : (
          <EndlessList
            label="Changes"
            items={operations}
            paging={pages}
            rowHeight={ROW_PX}
            keyOf={({ id }) => id}
          >
            {(operation, before) => (
              <>
                {before !== undefined &&
                dayText(before.created_at) === dayText(operation.created_at) ? null : (
                  <h3 className="list-heading">{dayText(operation.created_at)}</h3>
                )}
                <div className="list-row">
                  <OperationRow
                    operation={operation}
                    standing={standings(operation)}
                    onUndone={onUndone}
                  />
                </div>
              </>
            )}
          </EndlessList>
        );
      }}
    </Answer>
  );
}
