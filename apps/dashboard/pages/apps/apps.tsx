import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { account, KEYS } from "../../account/account.ts";
import { ClosingNote } from "../../account/closing-note.tsx";
import { ShownOnce } from "../../account/shown-once.tsx";
import { answerOf } from "../../api.ts";
import { person } from "../../person.ts";
import { Page as Frame } from "../../shell/page.tsx";
import { findPlace, Link } from "../../shell/router.tsx";
import { Answer } from "../../states/answer.tsx";
import { Empty } from "../../states/states.tsx";
import "../../styles/account.css";
import "../../styles/apps.css";
import { AppCard } from "./app-card.tsx";
import { MakeToken, type MadeToken } from "./make-token.tsx";

/** Everything that reaches the account, what each may do and did, and holding it back. */
export function Page() {
  const apps = useQuery({
    queryKey: KEYS.apps,
    queryFn: () => answerOf(account.apps.$get()),
  });
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<MadeToken | null>(null);
  const connect =
    findPlace("/connect") === null ? null : (
      <Link to="/connect" className="button">
        Connect an assistant
      </Link>
    );
  return (
    <Frame
      title="Connected apps"
      lead="What can reach your memory, and what each may do. You decide, and it holds at once."
      actions={
        <>
          {connect}
          <button type="button" onClick={() => setMaking(true)}>
            Make a token
          </button>
        </>
      }
    >
      <ClosingNote />
      {made === null ? null : (
        <ShownOnce
          title={`Your token “${made.name}”`}
          text={made.token}
          label="the token"
          done={() => setMade(null)}
        >
          <p>
            Copy it now: it is shown only this once, and nothing is kept here that it could be read
            from. Whoever has it can do what you ticked, until you revoke it.
          </p>
          <p className="hint">
            A program sends it to <code>{person.mcpUrl}</code> in the header{" "}
            <code>Authorization: Bearer …</code>
          </p>
        </ShownOnce>
      )}
      <Answer query={apps}>
        {({ apps, is_all_counted: isAllCounted }) =>
          apps.length === 0 ? (
            <div className="card">
              <Empty title="Nothing is connected yet." icon="apps" actions={connect}>
                An assistant stands here once you have allowed it. Give it this address:{" "}
                <code>{person.mcpUrl}</code>
              </Empty>
            </div>
          ) : (
            <>
              {apps.map((app) => (
                <AppCard key={app.id} app={app} />
              ))}
              {isAllCounted ? null : (
                <p className="hint">
                  Of what they wrote only the latest 10,000 changes are counted.
                </p>
              )}
            </>
          )
        }
      </Answer>
      <MakeToken isOpen={isMaking} close={() => setMaking(false)} made={setMade} />
    </Frame>
  );
}
