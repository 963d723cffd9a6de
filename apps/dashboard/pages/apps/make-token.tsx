import { useState } from "react";
import { SCOPES, type Scope } from "../../../../src/scopes.ts";
import { account } from "../../account/account.ts";
import { confirmed } from "../../account/confirmed.ts";
import { answerOf } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Dialog } from "../../states/dialog.tsx";
import { ScopeChoice, TrustChoice } from "./scope-choice.tsx";

export interface MadeToken {
  readonly name: string;
  readonly token: string;
}

/** For a program that cannot sign in by a browser. @param made shows the token, which is told only now */
export function MakeToken({
  isOpen,
  close,
  made,
}: {
  readonly isOpen: boolean;
  readonly close: () => void;
  readonly made: (token: MadeToken) => void;
}) {
  return (
    <Dialog title="Make a token" isOpen={isOpen} close={close}>
      <TokenForm
        made={(token) => {
          close();
          made(token);
        }}
      />
    </Dialog>
  );
}

function TokenForm({ made }: { readonly made: (token: MadeToken) => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>(["memories:read"]);
  const [trusted, setTrusted] = useState(false);
  const make = useChange({
    make: async () => {
      const json = { name, scopes: [...scopes], trusted };
      const { token, app } = await confirmed(() => answerOf(account.tokens.$post({ json })));
      made({ name: app.name, token });
      return {};
    },
    say: () => null,
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate(undefined);
      }}
    >
      <p>For scripts, and for programs that cannot sign in by a browser.</p>
      <label>
        Name
        <input
          value={name}
          placeholder="Backup script"
          autoComplete="off"
          maxLength={60}
          required
          onChange={({ target }) => setName(target.value)}
        />
      </label>
      <ScopeChoice legend="What it may do" offered={SCOPES} chosen={scopes} choose={setScopes} />
      <TrustChoice isTrusted={trusted} choose={setTrusted} />
      <div className="actions">
        <button className="primary" disabled={make.isPending || scopes.length === 0}>
          Make token
        </button>
      </div>
    </form>
  );
}
