import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { useEffect, useRef } from "react";
import { checkInParts } from "../../../../src/integrity/check-in-parts.ts";
import { answerOf, api } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Card } from "../../shell/page.tsx";
import { Answer } from "../../states/answer.tsx";
import { Empty } from "../../states/states.tsx";
import { counted, inFigures } from "../../words/amounts.ts";
import { Moment } from "../../words/moment.tsx";

type Check = InferResponseType<typeof api.verify.$post>["check"];

const LAST = ["verify"] as const;

/** Whether all rows of the account agree: what the last check found, and a new one. */
export function IntegrityCard() {
  const queries = useQueryClient();
  const last = useQuery({
    queryKey: LAST,
    queryFn: () => answerOf(api.verify.$get()),
    // A check goes on in parts, each of which may be told as a change; its own answers are kept as they come.
    meta: { live: false },
  });
  const running = useRef<AbortController>(null);
  const stop = () => running.current?.abort();
  const start = useChange({
    async make() {
      running.current = new AbortController();
      const check = await checkInParts(
        () => answerOf(api.verify.$post()).then(({ check }) => check),
        {
          signal: running.current.signal,
          told: (check) => queries.setQueryData(LAST, { check }),
        },
      );
      return { operation_id: null, check };
    },
    say: ({ check }) => (check === null ? null : saidOf({ check })),
  });
  // What goes on without anybody who sees it can be stopped by nobody.
  useEffect(() => stop, []);
  return (
    <Card
      title="Integrity"
      more={
        start.isPending ? (
          <button type="button" onClick={stop}>
            Stop checking
          </button>
        ) : (
          <button type="button" onClick={() => start.mutate(undefined)}>
            Check now
          </button>
        )
      }
    >
      <p>
        Compares everything that is stored with its earlier versions, the search index, tags and
        counts, and repairs what follows from the rest. Done by itself in nights after a change.
      </p>
      <Answer query={last}>
        {({ check }) =>
          check !== null ? (
            <LastCheck check={check} isGoingOn={start.isPending} />
          ) : start.isPending ? (
            <p>Checking …</p>
          ) : (
            <Empty title="Not checked yet.">
              The first check is made in the coming night, or now.
            </Empty>
          )
        }
      </Answer>
    </Card>
  );
}

function LastCheck({
  check,
  isGoingOn,
}: {
  readonly check: Check;
  /** By this page. */
  readonly isGoingOn: boolean;
}) {
  if (check.state === "running") {
    const soFar = counted(sumOf(check.checked), "entry", "entries");
    return isGoingOn ? (
      <p>Checking: {soFar} so far …</p>
    ) : (
      <p>A check has come to {soFar}. “Check now” goes on with it, or the coming night does.</p>
    );
  }
  if (isGoingOn) return <p>Checking …</p>;
  const left = check.named.filter(({ what }) => what in check.left);
  return (
    <>
      <p>
        {saidOf({ check })}{" "}
        {check.finished_at === null ? null : <Moment time={check.finished_at} />}
      </p>
      {left.length === 0 ? null : (
        <ul className="rows">
          {left.map(({ what, kind, id, version }) => (
            <li key={`${what} ${kind} ${id} ${version}`}>
              <span>
                {KIND_WORDS[kind] ?? plain(kind)} <code>{id}</code>:{" "}
                {LEFT_WORDS[what] ?? plain(what)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function saidOf({ check: { checked, repaired, left } }: { readonly check: Check }): string {
  const all = counted(sumOf(checked), "entry", "entries");
  if (sumOf(left) > 0) {
    return `${all} checked: ${inFigures(sumOf(left))} could not be repaired. A backup may have what is missing.`;
  }
  return sumOf(repaired) === 0
    ? `${all} checked: everything agrees.`
    : `${all} checked, and ${inFigures(sumOf(repaired))} repaired: everything agrees now.`;
}

/** As the lists in `src/integrity/damage.ts`; a newer word of theirs is shown in plain letters. */
const KIND_WORDS: Readonly<Partial<Record<string, string>>> = {
  memory: "Memory",
  memory_version: "Earlier state of the memory",
  conversation: "Conversation",
  conversation_version: "Earlier state of the conversation",
  message: "Message",
  message_version: "Earlier state of the message",
  label: "Tag, project or folder",
  operation: "Change",
  account: "Account",
};
const LEFT_WORDS: Readonly<Partial<Record<string, string>>> = {
  unreadable: "cannot be decrypted",
  earlier_missing: "an earlier state is missing",
  not_earlier: "is no earlier state of what it belongs to",
  belongs_to_nothing: "what it belongs to is missing",
  operation_missing: "the change that made it is missing from the history",
  place_taken: "another file has its path",
  counts_unreadable: "what it did cannot be read",
  unchecked: "could not be looked at",
};

function plain(name: string): string {
  return name.replaceAll("_", " ");
}

function sumOf(counts: Readonly<Partial<Record<string, number>>>): number {
  return Object.values(counts).reduce<number>((sum, count = 0) => sum + count, 0);
}
