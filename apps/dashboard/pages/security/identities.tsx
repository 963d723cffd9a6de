import { useQuery } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { useState } from "react";
import { account, noOperation } from "../../account/account.ts";
import { confirmed } from "../../account/confirmed.ts";
import { identitiesQuery, passkeysQuery } from "../../account/ways-in.ts";
import { answerOf } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Icon } from "../../shell/icon.tsx";
import { Card } from "../../shell/page.tsx";
import { ConfirmDialog } from "../../states/dialog.tsx";
import { Moment } from "../../words/moment.tsx";

type Identity = InferResponseType<typeof account.identities.$get>["identities"][number];

/** Accounts elsewhere that open this one. Nothing where the server knows of no such way: most do not. */
export function Identities() {
  const { data } = useQuery(identitiesQuery);
  const passkeys = useQuery(passkeysQuery).data?.passkeys;
  // Which of them is the only way in is known when both are.
  if (data === undefined || passkeys === undefined) return null;
  const { identities, addable } = data;
  if (identities.length === 0 && addable.length === 0) return null;
  const usable = identities.filter(({ is_usable }) => is_usable);
  return (
    <Card title="Other ways to sign in">
      <p>
        Whoever signs in to one of these accounts elsewhere gets into this one. Nothing but who you
        are and your name is asked for there. Kept of it are its address and the name or number by
        which it knows you, and no token.
      </p>
      <ul className="rows rows-wrap">
        {identities.map((identity) => (
          <IdentityRow
            key={identity.id}
            identity={identity}
            isLast={passkeys.length === 0 && usable.length === 1 && identity.is_usable}
          />
        ))}
      </ul>
      {addable.length === 0 ? null : (
        <form method="post" className="actions">
          {addable.map(({ id, name }) => (
            <button key={id} formAction={`/link/${id}`}>
              Add {name}
            </button>
          ))}
        </form>
      )}
    </Card>
  );
}

function IdentityRow({
  identity,
  isLast,
}: {
  readonly identity: Identity;
  readonly isLast: boolean;
}) {
  const [isAsked, setAsked] = useState(false);
  const { name } = identity;
  const remove = useChange({
    make: () =>
      confirmed(() =>
        answerOf(account.identities[":id"].$delete({ param: { id: identity.id } })),
      ).then(noOperation),
    say: () => `${name} was removed.`,
  });
  return (
    <li>
      <Icon name="account" />
      <div className="row-words">
        <bdi>{name}</bdi>
        <small>
          {identity.is_usable ? null : "Not set up on this server any more · "}
          added <Moment time={identity.created_at} />
          {isLast ? " · your only way in: add a passkey to remove it" : null}
        </small>
      </div>
      {isLast ? null : (
        <button
          type="button"
          className="danger"
          aria-label={`Remove: ${name}`}
          onClick={() => setAsked(true)}
        >
          Remove
        </button>
      )}
      <ConfirmDialog
        title={`Remove ${name}?`}
        action="Remove"
        isOpen={isAsked}
        close={() => setAsked(false)}
        confirm={() => remove.mutate(undefined)}
      >
        <p>
          It signs nobody in to this account any more. Where you are signed in now you stay so: end
          that below.
        </p>
      </ConfirmDialog>
    </li>
  );
}
