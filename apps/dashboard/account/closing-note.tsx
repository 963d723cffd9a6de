import { answerOf } from "../api.ts";
import { useChange } from "../changes/change.ts";
import { Icon } from "../shell/icon.tsx";
import { dayText } from "../words/amounts.ts";
import { account, noOperation } from "./account.ts";
import { useProfile } from "./profile.ts";

/** That the account is to be deleted, which holds every app back, and how to take it back. Nothing otherwise. */
export function ClosingNote() {
  const deletion = useProfile().data?.deletion ?? null;
  const takeBack = useChange({
    make: () => answerOf(account.deletion.$delete()).then(noOperation),
    say: () => "Taken back: your account stays, and your apps get in again.",
  });
  if (deletion === null) return null;
  return (
    <div className="banner closing">
      <Icon name="alert" />
      <span>
        This account will be deleted on {dayText(deletion.due_at)}. Until then no app gets in.
      </span>
      <button
        type="button"
        disabled={takeBack.isPending}
        onClick={() => takeBack.mutate(undefined)}
      >
        Keep my account
      </button>
    </div>
  );
}
