import { useQuery } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { useState } from "react";
import { messageOf, register } from "../../../../public/assets/passkey.js";
import { account, noOperation } from "../../account/account.ts";
import { confirmed } from "../../account/confirmed.ts";
import { RenameDialog } from "../../account/rename-dialog.tsx";
import { identitiesQuery, passkeysQuery } from "../../account/ways-in.ts";
import { answerOf, ApiProblem } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Icon } from "../../shell/icon.tsx";
import { Card } from "../../shell/page.tsx";
import { Answer } from "../../states/answer.tsx";
import { ConfirmDialog, Dialog } from "../../states/dialog.tsx";
import { Moment } from "../../words/moment.tsx";

type Passkey = InferResponseType<typeof account.passkeys.$get>["passkeys"][number];

/** The keys that open the account. @param person their name, for the device's own list */
export function Passkeys({ person }: { readonly person: string }) {
  const [isAdding, setAdding] = useState(false);
  const passkeys = useQuery(passkeysQuery);
  const identities = useQuery(identitiesQuery).data?.identities;
  /** Undefined: not known yet. */
  const hasOtherWay = identities?.some(({ is_usable }) => is_usable);
  const add = useChange({
    make: (name: string) => addPasskey(person, name).then(noOperation),
    say: () => "The passkey was added. It signs you in from now on.",
  });
  return (
    <Card title="Passkeys">
      <p>
        A passkey is your key to this account: your device keeps it, and asks for your fingerprint,
        face or PIN. There is no password.
      </p>
      <Answer query={passkeys}>
        {({ passkeys }) => (
          <>
            <ul className="rows rows-wrap">
              {passkeys.map((passkey) => (
                <PasskeyRow
                  key={passkey.id}
                  passkey={passkey}
                  isLast={passkeys.length === 1 && hasOtherWay !== true}
                />
              ))}
            </ul>
            {passkeys.length === 1 && hasOtherWay === false ? (
              <p className="warning">
                This is your only passkey, so it cannot be removed. Add one on another device: it
                lets you in when this one is lost.
              </p>
            ) : null}
          </>
        )}
      </Answer>
      <div className="actions">
        <button type="button" disabled={add.isPending} onClick={() => setAdding(true)}>
          {add.isPending ? "Follow your device …" : "Add a passkey"}
        </button>
      </div>
      <Dialog title="Add a passkey" isOpen={isAdding} close={() => setAdding(false)}>
        <AddForm
          add={(name) => {
            setAdding(false);
            add.mutate(name);
          }}
        />
      </Dialog>
    </Card>
  );
}

function AddForm({ add }: { readonly add: (name: string) => void }) {
  const [name, setName] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        add(name.trim());
      }}
    >
      <p>
        Your device asks where to keep it: on this device, on your phone, or on a security key. A
        device has one passkey for an account.
      </p>
      <label>
        Name, to tell it from the others
        <input
          value={name}
          placeholder="Phone"
          autoComplete="off"
          maxLength={60}
          onChange={({ target }) => setName(target.value)}
        />
      </label>
      <div className="actions">
        <button className="primary">Go on</button>
      </div>
    </form>
  );
}

function PasskeyRow({ passkey, isLast }: { readonly passkey: Passkey; readonly isLast: boolean }) {
  const [asked, ask] = useState<"rename" | "remove" | null>(null);
  const name = passkey.name ?? "Passkey";
  const rename = useChange({
    make: (text: string) =>
      answerOf(
        account.passkeys[":id"].$patch({ param: { id: passkey.id }, json: { name: text } }),
      ).then(noOperation),
    say: () => null,
  });
  const remove = useChange({
    make: () =>
      confirmed(() =>
        answerOf(account.passkeys[":id"].$delete({ param: { id: passkey.id } })),
      ).then(noOperation),
    say: () => `${name} was removed.`,
  });
  return (
    <li>
      <Icon name="lock" />
      <div className="row-words">
        <bdi>{name}</bdi>
        <small>
          {passkey.is_synced ? "Kept by your password manager" : "On one device only"}
          {passkey.created_at === null ? null : (
            <>
              {" "}
              · added <Moment time={passkey.created_at} />
            </>
          )}
        </small>
      </div>
      <button
        type="button"
        className="quiet"
        aria-label={`Rename: ${name}`}
        onClick={() => ask("rename")}
      >
        Rename
      </button>
      {isLast ? null : (
        <button
          type="button"
          className="danger"
          aria-label={`Remove: ${name}`}
          onClick={() => ask("remove")}
        >
          Remove
        </button>
      )}
      <RenameDialog
        name={passkey.name ?? ""}
        isOpen={asked === "rename"}
        close={() => ask(null)}
        rename={(text) => rename.mutate(text)}
      />
      <ConfirmDialog
        title={`Remove ${name}?`}
        action="Remove"
        isOpen={asked === "remove"}
        close={() => ask(null)}
        confirm={() => remove.mutate(undefined)}
      >
        <p>
          It signs nobody in any more. Your device may still offer it until you delete it there too.
          Where it is signed in now it stays so: end that below.
        </p>
      </ConfirmDialog>
    </li>
  );
}

/** @throws ApiProblem also of the device */
async function addPasskey(person: string, name: string): Promise<void> {
  // Without a session the same ceremony would make another account.
  await answerOf(account.index.$get());
  const { id } = await confirmed(() =>
    register({ name: person, createSession: false }).catch((cause: unknown) => {
      const isUnconfirmed = cause instanceof Error && cause.cause === "NOT_CONFIRMED";
      throw new ApiProblem(isUnconfirmed ? "not_confirmed" : "device", messageOf(cause), "", {
        cause,
      });
    }),
  );
  if (name === "") return;
  await answerOf(account.passkeys[":id"].$patch({ param: { id }, json: { name } }));
}
