import { useState } from "react";
import { Dialog } from "../states/dialog.tsx";

/** As the server has it for every name. */
const MAX_CHARS = 60;

/** Another name for something of the account. */
export function RenameDialog({
  name,
  isOpen,
  close,
  rename,
}: {
  /** As it is called now. */
  readonly name: string;
  readonly isOpen: boolean;
  readonly close: () => void;
  readonly rename: (name: string) => void;
}) {
  return (
    <Dialog title="Rename" isOpen={isOpen} close={close}>
      <NameForm
        name={name}
        save={(text) => {
          rename(text);
          close();
        }}
      />
    </Dialog>
  );
}

function NameForm({
  name,
  save,
}: {
  readonly name: string;
  readonly save: (name: string) => void;
}) {
  const [text, setText] = useState(name);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save(text.trim());
      }}
    >
      <label>
        Name
        <input
          value={text}
          autoComplete="off"
          maxLength={MAX_CHARS}
          required
          onChange={({ target }) => setText(target.value)}
        />
      </label>
      <div className="actions">
        <button className="primary" disabled={text.trim() === "" || text.trim() === name}>
          Rename
        </button>
      </div>
    </form>
  );
}
