import { useState } from "react";
import type { Scope } from "../../../../src/scopes.ts";
import { account, noOperation, type App } from "../../account/account.ts";
import { confirmed } from "../../account/confirmed.ts";
import { answerOf } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Dialog } from "../../states/dialog.tsx";
import { ScopeChoice, TrustChoice } from "./scope-choice.tsx";

interface Rights {
  readonly scopes: readonly Scope[];
  readonly trusted: boolean;
}

/** Takes rights away. More are only given where the app asks for them, or to a token when it is made. */
export function RightsDialog({
  app,
  isOpen,
  close,
}: {
  readonly app: App;
  readonly isOpen: boolean;
  readonly close: () => void;
}) {
  const change = useChange({
    make: ({ scopes, trusted }: Rights) =>
      confirmed(() =>
        answerOf(
          account.apps[":id"].$patch({
            param: { id: app.id },
            json: {
              ...(scopes.length === app.scopes.length ? {} : { scopes: [...scopes] }),
              ...(trusted === app.trusted ? {} : { trusted }),
            },
          }),
        ),
      ).then(noOperation),
    say: () => `The rights of ${app.name} were changed.`,
  });
  return (
    <Dialog title={`Rights of ${app.name}`} isOpen={isOpen} close={close}>
      <RightsForm
        app={app}
        save={(rights) => {
          change.mutate(rights);
          close();
        }}
      />
    </Dialog>
  );
}

function RightsForm({ app, save }: { readonly app: App; readonly save: (rights: Rights) => void }) {
  const [scopes, setScopes] = useState<readonly Scope[]>(app.scopes);
  const [trusted, setTrusted] = useState(app.trusted);
  const taken = app.scopes.length - scopes.length;
  const isSame = taken === 0 && trusted === app.trusted;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save({ scopes, trusted });
      }}
    >
      <ScopeChoice legend="It may" offered={app.scopes} chosen={scopes} choose={setScopes} />
      {app.kind === "oauth" ? null : <TrustChoice isTrusted={trusted} choose={setTrusted} />}
      <p className={taken > 0 ? "warning" : "hint"}>
        What you take away is gone from its next call on, and cannot be given back here:{" "}
        {app.kind === "oauth"
          ? "the app has to ask you again, by signing in anew."
          : "you would make a new token."}
      </p>
      {scopes.length > 0 ? null : (
        <p className="hint">To take everything away, pause or revoke it.</p>
      )}
      <div className="actions">
        <button
          className={taken > 0 ? "danger-fill" : "primary"}
          disabled={isSame || scopes.length === 0}
        >
          {taken > 0 ? "Take away" : "Save"}
        </button>
      </div>
    </form>
  );
}
