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
 * Of what is written in a dialog: a click beside it, Escape or a link asks before it is discarded.
 * @param title the question, such as `Discard this memory?`
 */
export function WritingDialog({
  title,
  question,
  isOpen,
  isWritten,
  close,
  children,
}: {
  readonly title: string;
  readonly question: string;
  readonly isOpen: boolean;
  /** Whether anything stands in it that is not saved. */
  readonly isWritten: boolean;
  readonly close: () => void;
  readonly children: ReactNode;
}) {
  const [isAsked, ask] = useState(false);
  return (
    <Dialog title={title} isOpen={isOpen} close={() => (isWritten ? ask(true) : close())}>
      {children}
      <ConfirmDialog
        title={question}
        action="Discard"
        isOpen={isAsked}
        close={() => ask(false)}
        confirm={close}
      >
        <p>What you wrote is not saved.</p>
      </ConfirmDialog>
    </Dialog>
  );
}

interface Question {
  /** On the button: a verb, such as `Empty the trash`. */
  readonly action: string;
  /** What the person has to type first, for what cannot be taken back at all. */
  readonly typed?: string;
  readonly close: () => void;
  readonly confirm: () => void;
  readonly children: ReactNode;
}

/**
 * Asks before something that is not undone with a click.
 * @public for what no undo takes back
 */
export function ConfirmDialog({
  title,
  isOpen,
  ...question
}: Question & { readonly title: string; readonly isOpen: boolean }) {
  return (
    <Dialog title={title} isOpen={isOpen} close={question.close}>
      <ConfirmForm {...question} />
    </Dialog>
  );
}

/** It goes with the dialog, and with it what was typed: the next question is not answered by this one's words. */
function ConfirmForm({ action, typed = "", close, confirm, children }: Question) {
  const [text, setText] = useState("");
  const field = useId();
  return (
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
  );
}
