import { useState } from "react";
import { tagsOf } from "../../memories/draft.ts";
import { Dialog } from "../../states/dialog.tsx";

/** Tags for all that is chosen. */
export function TagDialog({
  isOpen,
  close,
  change,
}: {
  readonly isOpen: boolean;
  readonly close: () => void;
  readonly change: (tags: { readonly add: string[]; readonly remove: string[] }) => void;
}) {
  const [added, setAdded] = useState("");
  const [removed, setRemoved] = useState("");
  const [add, remove] = [tagsOf(added), tagsOf(removed)];
  return (
    <Dialog title="Change tags" isOpen={isOpen} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          change({ add, remove });
          close();
        }}
      >
        <label>
          Add these tags
          <input
            value={added}
            placeholder="work, travel"
            dir="auto"
            onChange={(event) => setAdded(event.target.value)}
          />
          <small>With commas between them.</small>
        </label>
        <label>
          Take these away
          <input value={removed} dir="auto" onChange={(event) => setRemoved(event.target.value)} />
        </label>
        <div className="actions">
          <button className="primary" disabled={add.length + remove.length === 0}>
            Change tags
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
