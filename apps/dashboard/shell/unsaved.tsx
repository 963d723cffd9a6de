import { useEffect, useState } from "react";
import { ConfirmDialog } from "../states/dialog.tsx";
import { keepHere } from "./router.tsx";

/** Asks before what was typed and not saved is left behind, by a link, by the browser's buttons, or by closing the page. */
export function Unsaved({ isUnsaved }: { readonly isUnsaved: boolean }) {
  const [leave, setLeave] = useState<(() => void) | null>(null);
  useEffect(() => {
    if (!isUnsaved) return;
    const end = keepHere((go) => setLeave(() => go));
    // The browser asks, in its own words.
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => {
      end();
      removeEventListener("beforeunload", warn);
    };
  }, [isUnsaved]);
  return (
    <ConfirmDialog
      title="Leave without saving?"
      action="Leave"
      isOpen={leave !== null}
      close={() => setLeave(null)}
      confirm={() => leave?.()}
    >
      <p>
        You changed something on this page and did not save it. If you leave, it stays as it was.
      </p>
    </ConfirmDialog>
  );
}
