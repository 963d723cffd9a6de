import { answerOf, api } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { isUnderWay } from "../../changes/under-way.ts";
import { useBackups } from "../../changes/use-backups.ts";
import { Icon } from "../../shell/icon.tsx";
import { Card } from "../../shell/page.tsx";
import { Answer } from "../../states/answer.tsx";
import { Moment } from "../../words/moment.tsx";

/** Whether the account could be brought back. */
export function Backups() {
  const backups = useBackups();
  const start = useChange({
    make: () => answerOf(api.backups.$post()).then(() => ({})),
    say: () => "A backup is being written.",
  });
  return (
    <Card title="Backups">
      <Answer query={backups}>
        {({ backups, last_verified_at: verifiedAt }) => {
          const last = backups.find(({ state }) => state === "finished");
          const isRunning = backups.some(({ state }) => isUnderWay(state));
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
                      "Not verified yet"
                    ) : (
                      <span>
                        Verified <Moment time={verifiedAt} />
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
