import { useState } from "react";
import { account, noOperation } from "../../account/account.ts";
import { confirmed } from "../../account/confirmed.ts";
import { answerOf } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Card } from "../../shell/page.tsx";
import { Link } from "../../shell/router.tsx";
import { ConfirmDialog } from "../../states/dialog.tsx";

/** As the server expects it too. */
const WORDS = "delete my account";

export function DeleteAccount() {
  const [isAsked, setAsked] = useState(false);
  const request = useChange({
    make: () =>
      confirmed(() => answerOf(account.deletion.$post({ json: { confirm: WORDS } }))).then(
        noOperation,
      ),
    say: () => "The account will be deleted. You can take that back on this page.",
  });
  return (
    <Card title="Delete the account">
      <p>
        For seven days you can take it back; meanwhile no app gets in, and you can still read and
        export. Then your key is destroyed, and everything that was kept for you goes.
      </p>
      <div className="actions">
        <button type="button" className="delete-account" onClick={() => setAsked(true)}>
          Delete the account
        </button>
      </div>
      <ConfirmDialog
        title="Delete the account?"
        action="Delete the account"
        typed={WORDS}
        isOpen={isAsked}
        close={() => setAsked(false)}
        confirm={() => request.mutate(undefined)}
      >
        <p>
          All memories, conversations and backups go, with every app, token and passkey. After seven
          days nobody can bring any of it back.
        </p>
        <p>
          To keep a copy, <Link to="/export">export everything</Link> first.
        </p>
      </ConfirmDialog>
    </Card>
  );
}
