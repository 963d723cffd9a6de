import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { account, KEYS, noOperation } from "../../account/account.ts";
import { confirmed } from "../../account/confirmed.ts";
import { ShownOnce } from "../../account/shown-once.tsx";
import { answerOf } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Icon } from "../../shell/icon.tsx";
import { Card } from "../../shell/page.tsx";
import { Answer } from "../../states/answer.tsx";
import { ConfirmDialog } from "../../states/dialog.tsx";
import { Moment } from "../../words/moment.tsx";

/** The way back in for who has lost every passkey. */
export function RecoveryCode() {
  const [code, setCode] = useState<string | null>(null);
  const [asked, ask] = useState<"make" | "remove" | null>(null);
  const recovery = useQuery({
    queryKey: KEYS.recovery,
    queryFn: () => answerOf(account["recovery-code"].$get()),
  });
  const make = useChange({
    make: async () => {
      setCode((await confirmed(() => answerOf(account["recovery-code"].$post()))).code);
      return noOperation();
    },
    say: () => null,
  });
  const remove = useChange({
    make: () => confirmed(() => answerOf(account["recovery-code"].$delete())).then(noOperation),
    say: () => "The code was removed. It signs nobody in.",
  });
  if (code !== null) {
    return (
      <ShownOnce
        title="Your recovery code"
        text={code}
        label="the code"
        file={{ name: "cofio-recovery-code.txt", text: fileText(code) }}
        done={() => setCode(null)}
      >
        <p>
          Keep it where you would keep a spare key, and not on the device that has your passkey. It
          is shown only this once, and signs you in once, at <code>{RECOVER}</code>.
        </p>
      </ShownOnce>
    );
  }
  return (
    <Card title="Recovery code">
      <p>
        A code that signs you in once when every other way in is lost. There is no other way back:
        nobody can reset anything for you.
      </p>
      <Answer query={recovery}>
        {({ recovery_code: kept }) => (
          <>
            <ul className="facts-list">
              <li className={kept === null ? "fact-missing" : undefined}>
                <Icon name={kept === null ? "alert" : "check"} />
                {kept === null ? (
                  "There is no code. If you had one, it was used or removed."
                ) : (
                  <span>
                    Made <Moment time={kept.created_at} />, not used yet
                  </span>
                )}
              </li>
            </ul>
            <div className="actions">
              <button
                type="button"
                disabled={make.isPending}
                onClick={() => (kept === null ? make.mutate(undefined) : ask("make"))}
              >
                {kept === null ? "Make a recovery code" : "Make another code"}
              </button>
              {kept === null ? null : (
                <button
                  type="button"
                  className="danger"
                  disabled={remove.isPending}
                  onClick={() => ask("remove")}
                >
                  Remove the code
                </button>
              )}
            </div>
          </>
        )}
      </Answer>
      <ConfirmDialog
        title="Make another code?"
        action="Make another code"
        isOpen={asked === "make"}
        close={() => ask(null)}
        confirm={() => make.mutate(undefined)}
      >
        <p>The code that you have now stops working.</p>
      </ConfirmDialog>
      <ConfirmDialog
        title="Remove the code?"
        action="Remove"
        isOpen={asked === "remove"}
        close={() => ask(null)}
        confirm={() => remove.mutate(undefined)}
      >
        <p>
          It stops working, and without another one nothing lets you in when every other way is
          lost.
        </p>
      </ConfirmDialog>
    </Card>
  );
}

const RECOVER = `${location.origin}/recover`;

function fileText(code: string): string {
  return `Cofio recovery code, good for one sign-in at ${RECOVER}\n\n${code}\n`;
}
