import { useId, useState } from "react";
import { SCOPE_MEANINGS, SCOPES } from "../../../../src/scopes.ts";
import { account, KEYS, noOperation, type App } from "../../account/account.ts";
import { RenameDialog } from "../../account/rename-dialog.tsx";
import { answerOf } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Link } from "../../shell/router.tsx";
import { Moment } from "../../words/moment.tsx";
import { Activity } from "./activity.tsx";
import { KINDS, STATES, wroteText } from "./app-words.ts";
import { RevokeDialog } from "./revoke-dialog.tsx";
import { RightsDialog } from "./rights-dialog.tsx";
import { UndoDialog } from "./undo-dialog.tsx";

type Question = "rename" | "rights" | "undo" | "revoke";

/** An app or a token: what it is, may do and did, and the ways to hold it back. */
export function AppCard({ app }: { readonly app: App }) {
  const [asked, ask] = useState<Question | null>(null);
  const heading = useId();
  const wrote = wroteText(app.wrote);
  const rename = useChange({
    make: ({ name }: { readonly name: string; readonly before: string }) =>
      answerOf(account.apps[":id"].$patch({ param: { id: app.id }, json: { name } })).then(
        noOperation,
      ),
    say: (_, { name, before }) => `${before} is called ${name} now.`,
    back: (_, { name, before }) => rename.mutate({ name: before, before: name }),
  });
  const dialog = (question: Question) => ({
    app,
    isOpen: asked === question,
    close: () => ask(null),
  });
  return (
    <section className="card app" aria-labelledby={heading} data-state={app.state}>
      <div className="app-head">
        <div className="app-title">
          <h2 id={heading}>
            <bdi>{app.name}</bdi>
          </h2>
          <span className="badge">{KINDS[app.kind]}</span>
          {app.trusted ? <span className="badge badge-warn">Decides in your place</span> : null}
        </div>
        <StateChoice app={app} />
      </div>
      <div className="app-body">
        <div>
          {app.state === "active" ? null : (
            <p className="warning app-state">{STATES[app.state].meaning}</p>
          )}
          <Rights app={app} />
          <p className="hint">
            {app.last_used_at === null ? (
              "Never used"
            ) : (
              <>
                Last call <Moment time={app.last_used_at} />
              </>
            )}{" "}
            · {app.kind === "oauth" ? "allowed" : "made"} <Moment time={app.created_at} />
            {app.redirect_host === null ? null : (
              <>
                {" "}
                · access goes to <bdi>{app.redirect_host}</bdi>
              </>
            )}
            {app.domain === null ? null : (
              <>
                {" "}
                · published by <bdi>{app.domain}</bdi>
              </>
            )}
          </p>
        </div>
        <div>
          <Activity name={app.name} days={app.days} />
          <p className="hint">
            {wrote === "" ? "It wrote nothing." : `In all it ${wrote}.`}
            {(app.wrote.save ?? 0) + (app.wrote.import ?? 0) === 0 ? null : (
              <>
                {" "}
                <Link
                  to={`/memories?${new URLSearchParams({ client: app.name })}`}
                  aria-label={`Its memories: ${app.name}`}
                >
                  Its memories
                </Link>
              </>
            )}
          </p>
        </div>
      </div>
      <div className="app-actions">
        <Ask name="Rename" app={app} ask={() => ask("rename")} />
        <Ask name="Rights" app={app} ask={() => ask("rights")} />
        {wrote === "" ? null : <Ask name="Undo what it wrote" app={app} ask={() => ask("undo")} />}
        <Ask name="Revoke" app={app} isDanger ask={() => ask("revoke")} />
      </div>
      <RenameDialog
        name={app.name}
        isOpen={asked === "rename"}
        close={() => ask(null)}
        rename={(name) => rename.mutate({ name, before: app.name })}
      />
      <RightsDialog {...dialog("rights")} />
      <UndoDialog {...dialog("undo")} />
      <RevokeDialog {...dialog("revoke")} />
    </section>
  );
}

function Ask({
  name,
  app,
  isDanger = false,
  ask,
}: {
  readonly name: string;
  readonly app: App;
  readonly isDanger?: boolean;
  readonly ask: () => void;
}) {
  return (
    <button
      type="button"
      className={isDanger ? "danger" : "quiet"}
      aria-label={`${name}: ${app.name}`}
      onClick={ask}
    >
      {name}
    </button>
  );
}

/** Holds from the app's next call on, and is taken back with a click. */
function StateChoice({ app }: { readonly app: App }) {
  const change = useChange({
    make: ({ state }: { readonly state: App["state"]; readonly before: App["state"] }) =>
      answerOf(account.apps[":id"].$patch({ param: { id: app.id }, json: { state } })).then(
        noOperation,
      ),
    say: (_, { state }) => `${app.name}: ${STATES[state].name.toLowerCase()}.`,
    back: (_, { state, before }) => change.mutate({ state: before, before: state }),
    expect: (queries, { state }) =>
      queries.setQueryData<{ readonly apps: readonly App[] }>(KEYS.apps, (known) =>
        known === undefined
          ? known
          : {
              ...known,
              apps: known.apps.map((one) => (one.id === app.id ? { ...one, state } : one)),
            },
      ),
  });
  return (
    <fieldset className="modes">
      <legend className="sr-only">{app.name} is</legend>
      {STATE_NAMES.map((state) => (
        <label key={state} title={STATES[state].meaning}>
          <input
            type="radio"
            className="sr-only"
            name={`state-${app.id}`}
            checked={app.state === state}
            onChange={() => change.mutate({ state, before: app.state })}
          />
          {STATES[state].name}
        </label>
      ))}
    </fieldset>
  );
}

const STATE_NAMES = ["active", "read_only", "paused"] as const;

function Rights({ app: { scopes } }: { readonly app: App }) {
  if (scopes.length === SCOPES.length) return <p>It may do everything.</p>;
  if (scopes.length === 0) return <p>It may do nothing.</p>;
  return (
    <>
      <p>It may</p>
      <ul className="app-scopes">
        {scopes.map((scope) => (
          <li key={scope}>{SCOPE_MEANINGS[scope]}</li>
        ))}
      </ul>
    </>
  );
}
