/** How messages are shown, one above the other. */
import { Toast } from "@base-ui/react/toast";
import { useEffect } from "react";
import { Icon } from "../shell/icon.tsx";
import type { Show } from "./toasts.tsx";

/** Long enough to read it, think, and reach the button. Arbitrary. */
const SHOWN_MS = 10_000;
/** Until a screen reader knows of the region. Arbitrary. */
const KNOWN_MS = 100;

const toasts = Toast.createToastManager();

const show: Show = ({ message, hint, isProblem, action }) => {
  const id: string = toasts.add({
    title: message,
    ...(hint === undefined ? {} : { description: hint }),
    ...(isProblem ? { type: "problem", priority: "high" } : {}),
    ...(action === undefined
      ? {}
      : {
          actionProps: {
            children: action.name,
            onClick: () => {
              toasts.close(id);
              action.act();
            },
          },
        }),
  });
};

/** @param onReady told how to show one, as soon as that is possible */
export function ToastList({ onReady }: { readonly onReady: (show: Show) => void }) {
  // The provider below hears of no message before its own effects, and a screen reader of none that comes together with its region.
  useEffect(() => {
    const known = setTimeout(() => onReady(show), KNOWN_MS);
    return () => clearTimeout(known);
  }, [onReady]);
  return (
    <Toast.Provider toastManager={toasts} timeout={SHOWN_MS}>
      <Toast.Portal>
        <Toast.Viewport className="toasts">
          <Shown />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function Shown() {
  return Toast.useToastManager().toasts.map((toast) => (
    <Toast.Root key={toast.id} toast={toast} className="toast">
      <Toast.Content className="toast-content">
        <Icon name={toast.type === "problem" ? "alert" : "check"} />
        <div className="toast-words">
          <Toast.Title className="toast-title" />
          <Toast.Description className="toast-hint" />
        </div>
        {toast.actionProps === undefined ? null : <Toast.Action className="toast-action" />}
        <Toast.Close className="icon-button" aria-label="Close">
          <Icon name="close" size={16} />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ));
}
