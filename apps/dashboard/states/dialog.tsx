/** A question or a form over the page. Focus stays in it, Escape closes it, and goes back to where it came from. */
import { Dialog as Base } from "@base-ui/react/dialog";
import { useId, useState, type ReactNode } from "react";
import { Icon } from "../shell/icon.tsx";

export function Dialog({
  title,
  isOpen,
  close,
  children,
}: {
  readonly title: string;
  readonly isOpen: boolean;
  readonly close: () => void;
  readonly children: ReactNode;
}) {
  return (
    <Base.Root open={isOpen} onOpenChange={(open) => (open ? undefined : close())}>
      <Base.Portal>
        <Base.Backdrop className="backdrop" />
        <Base.Popup className="dialog">
          <div className="dialog-head">
            <Base.Title className="dialog-title">{title}</Base.Title>
            <Base.Close className="icon-button" aria-label="Close">
              <Icon name="close" />
            </Base.Close>
          </div>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/**
 * Asks before something that is not undone with a click.
 * @param typed what the person has to type first, for what cannot be taken back at all
 * @public for what no undo takes back
 */
export function ConfirmDialog({
  title,
  action,
  typed = "",
  isOpen,
  close,
  confirm,
  children,
}: {
  readonly title: string;
  /** On the button: a verb, such as `Empty the trash`. */
  readonly action: string;
  readonly typed?: string;
  readonly isOpen: boolean;
  readonly close: () => void;
  readonly confirm: () => void;
  readonly children: ReactNode;
}) {
  const [text, setText] = useState("");
  const field = useId();
  return (
    <Dialog title={title} isOpen={isOpen} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== typed) return;
          confirm();
          close();
        }}
      >
        {children}
        {typed === "" ? null : (
          <label htmlFor={field}>
            <span>
              Type <code>{typed}</code> to go on
            </span>
            <input
              id={field}
              value={text}
              autoComplete="off"
              onChange={(event) => setText(event.target.value)}
            />
          </label>
        )}
        <div className="actions">
          <button className="danger-fill" disabled={text.trim() !== typed}>
            {action}
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
