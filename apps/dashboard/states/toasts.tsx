/** Short messages that come and go, at the edge of the page: what was done, with the way back, and what failed. */
import { Toast } from "@base-ui/react/toast";
import { Icon } from "../shell/icon.tsx";
import type { ApiProblem } from "../api.ts";

/** Long enough to read it, think, and reach the button. Arbitrary. */
const SHOWN_MS = 10_000;

const toasts = Toast.createToastManager();

/** @param action what the button on it does, such as undo */
export function tell(
  message: string,
  action?: { readonly name: string; readonly act: () => void },
): void {
  const id: string = toasts.add({
    title: message,
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
}

/** A request of the person's that failed. */
export function tellProblem({ message, hint }: ApiProblem): void {
  toasts.add({ title: message, description: hint, type: "problem", priority: "high" });
}

/** Once, around all that tells. */
export function Toasts() {
  return (
    <Toast.Provider toastManager={toasts} timeout={SHOWN_MS}>
      <Toast.Portal>
        <Toast.Viewport className="toasts">
          <ToastList />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function ToastList() {
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
