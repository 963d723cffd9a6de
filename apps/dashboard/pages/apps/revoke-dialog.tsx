import { account, noOperation, type App } from "../../account/account.ts";
import { answerOf } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { ConfirmDialog } from "../../states/dialog.tsx";

export function RevokeDialog({
  app,
  isOpen,
  close,
}: {
  readonly app: App;
  readonly isOpen: boolean;
  readonly close: () => void;
}) {
  const revoke = useChange({
    make: () => answerOf(account.apps[":id"].$delete({ param: { id: app.id } })).then(noOperation),
    say: () => `${app.name} has no access any more.`,
  });
  return (
    <ConfirmDialog
      title={`Revoke ${app.name}?`}
      action="Revoke"
      isOpen={isOpen}
      close={close}
      confirm={() => revoke.mutate(undefined)}
    >
      <ul>
        <li>From its next call on it is refused, like a stranger.</li>
        <li>What it wrote stays. To take that back, undo what it wrote first.</li>
        <li>
          {app.kind === "oauth"
            ? "To use it again it has to sign in, and you allow it anew."
            : "This token never works again. To let the program in again, make a new one."}
        </li>
      </ul>
      <p>Not sure? Pausing it holds it back just as well, and is undone with a click.</p>
    </ConfirmDialog>
  );
}
