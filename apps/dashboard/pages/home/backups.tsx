import { useQuery } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { answerOf, api } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Icon } from "../../shell/icon.tsx";
import { Card } from "../../shell/page.tsx";
import { Answer } from "../../states/answer.tsx";
import { Moment } from "../../words/moment.tsx";

type Backup = InferResponseType<typeof api.backups.$get>["backups"][number];

/** Between two looks at a backup that is being written: a Workflow tells nobody when it ends. */
const POLL_MS = 2_000;

/** Whether the account could be brought back. */
export function Backups() {
  const backups = useQuery({
    queryKey: ["backups"],
    queryFn: () => answerOf(api.backups.$get()),
    refetchInterval: ({ state }) => (state.data?.backups.some(isOpen) === true ? POLL_MS : false),
  });
  const start = useChange({
    make: () => answerOf(api.backups.$post()).then(() => ({})),
    say: () => "A backup is being written.",
  });
  return (
    <Card title="Backups">
      <Answer query={backups}>
        {({ backups, last_verified_at: verifiedAt }) => {
          const last = backups.find(({ state }) => state === "finished");
          const isRunning = backups.some(isOpen);
          return (
            <>
              <ul className="facts-list">
                <li className={last === undefined ? "fact-missing" : undefined}>
                  <Icon name={last === undefined ? "alert" : "check"} />
                  {last?.created_at == null ? (
                    "No backup yet. One is made every night after a change."
                  ) : (
                    <span>
                      Last backup <Moment time={last.created_at} />
                    </span>
                  )}
                </li>
                {last === undefined ? null : (
                  <li className={verifiedAt == null ? "fact-missing" : undefined}>
                    <Icon name={verifiedAt == null ? "history" : "check"} />
                    {verifiedAt == null ? (
                      "Not rehearsed yet"
                    ) : (
                      <span>
                        Restoring rehearsed <Moment time={verifiedAt} />
                      </span>
                    )}
                  </li>
                )}
              </ul>
              <div className="actions">
                <button
                  type="button"
                  disabled={isRunning || start.isPending}
                  onClick={() => start.mutate(undefined)}
                >
                  {isRunning ? "Backing up …" : "Back up now"}
                </button>
              </div>
            </>
          );
        }}
      </Answer>
    </Card>
  );
}

function isOpen({ state }: Backup): boolean {
  return state === "created" || state === "running";
}
