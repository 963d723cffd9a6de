import { useQuery } from "@tanstack/react-query";
import { account, KEYS, noOperation } from "../../account/account.ts";
import { confirmed } from "../../account/confirmed.ts";
import { answerOf } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Icon } from "../../shell/icon.tsx";
import { Card } from "../../shell/page.tsx";
import { Answer } from "../../states/answer.tsx";
import { Moment } from "../../words/moment.tsx";

/** The browsers that are signed in. */
export function Sessions() {
  const sessions = useQuery({
    queryKey: KEYS.sessions,
    queryFn: () => answerOf(account.sessions.$get()),
  });
  const end = useChange({
    make: ({ id }: { readonly id: string; readonly client: string }) =>
      confirmed(() => answerOf(account.sessions[":id"].$delete({ param: { id } }))).then(
        noOperation,
      ),
    say: (_, { client }) => `${client} is signed out.`,
  });
  const endOthers = useChange({
    make: () => confirmed(() => answerOf(account.sessions.$delete())).then(noOperation),
    say: () => "You are signed out everywhere else.",
  });
  return (
    <Card title="Where you are signed in">
      <Answer query={sessions}>
        {({ sessions }) => (
          <>
            <ul className="rows rows-wrap">
              {sessions.map(({ id, client, is_this: isThis, last_used_at: usedAt, created_at }) => (
                <li key={id}>
                  <Icon name="system" />
                  <div className="row-words">
                    <span>
                      <bdi>{client}</bdi>
                      {isThis ? <span className="badge">This browser</span> : null}
                    </span>
                    <small>
                      Used <Moment time={usedAt} /> · signed in <Moment time={created_at} />
                    </small>
                  </div>
                  {isThis ? null : (
                    <button
                      type="button"
                      className="quiet"
                      aria-label={`Sign out: ${client}`}
                      disabled={end.isPending}
                      onClick={() => end.mutate({ id, client })}
                    >
                      Sign out
                    </button>
                  )}
                </li>
              ))}
            </ul>
            {sessions.length < 2 ? null : (
              <div className="actions">
                <button
                  type="button"
                  disabled={endOthers.isPending}
                  onClick={() => endOthers.mutate(undefined)}
                >
                  Sign out everywhere else
                </button>
              </div>
            )}
          </>
        )}
      </Answer>
    </Card>
  );
}
