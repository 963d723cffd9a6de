import { useCallback, useState } from "react";
import { useChangeMany, type ManyChange } from "../../memories/changes.ts";
import type { Status } from "../../memories/memory.ts";
import { Icon } from "../../shell/icon.tsx";
import { useShortcut } from "../../shell/shortcuts.tsx";
import { inFigures } from "../../words/amounts.ts";
import { CopyDialog } from "./copy-dialog.tsx";
import type { Selection } from "./selection.ts";
import { TagDialog } from "./tag-dialog.tsx";

/** What can be done with all that is chosen: each is one operation, and one undo takes it back. */
export function SelectionBar({
  selection,
  status,
}: {
  readonly selection: Selection;
  readonly status: Status;
}) {
  const { chosen, clear } = selection;
  const [dialog, setDialog] = useState<"copy" | "tags" | null>(null);
  const change = useChangeMany();
  const ids = [...chosen.keys()];
  // At once: whoever goes on choosing while the lists are read again is not to lose that.
  const run = (asked: Omit<ManyChange, "ids">) => {
    change.mutate({ ids, ...asked });
    clear();
  };
  const set = (to: "active" | "trashed", done: string) => run({ status: to, done });
  const close = useCallback(() => setDialog(null), []);
  useShortcut("Escape", "Choose nothing", clear);
  return (
    <div className="selection-bar" role="toolbar" aria-label="With the chosen memories">
      <p role="status">{inFigures(chosen.size)} chosen</p>
      <div className="selection-actions">
        {status === "active" ? null : (
          <button
            type="button"
            className="primary"
            disabled={change.isPending}
            onClick={() => set("active", status === "pending" ? "Approved" : "Restored")}
          >
            {status === "pending" ? "Approve" : "Restore"}
          </button>
        )}
        {status === "trashed" ? null : (
          <>
            <button type="button" disabled={change.isPending} onClick={() => setDialog("tags")}>
              Tags
            </button>
            <button type="button" onClick={() => setDialog("copy")}>
              Copy for an assistant
            </button>
            <button
              type="button"
              disabled={change.isPending}
              onClick={() => set("trashed", status === "pending" ? "Discarded" : "In the trash")}
            >
              {status === "pending" ? "Discard" : "Move to the trash"}
            </button>
          </>
        )}
        <button type="button" className="icon-button" aria-label="Choose nothing" onClick={clear}>
          <Icon name="close" />
        </button>
      </div>
      <CopyDialog memories={[...chosen.values()]} isOpen={dialog === "copy"} close={close} />
      <TagDialog
        isOpen={dialog === "tags"}
        close={close}
        change={({ add, remove }) =>
          run({
            ...(add.length === 0 ? {} : { add_tags: add }),
            ...(remove.length === 0 ? {} : { remove_tags: remove }),
            done: "Tags changed",
          })
        }
      />
    </div>
  );
}
