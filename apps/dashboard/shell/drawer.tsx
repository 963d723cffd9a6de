/** The navigation where there is no room beside the page. */
import { Dialog } from "@base-ui/react/dialog";
import type { RefObject } from "react";
import { Icon } from "./icon.tsx";
import { Navigation } from "./navigation.tsx";

export function Drawer({
  isOpen,
  close,
  opener,
}: {
  readonly isOpen: boolean;
  readonly close: () => void;
  /** Has the focus again when it is closed: Safari gives none to a button that is clicked. */
  readonly opener: RefObject<HTMLButtonElement | null>;
}) {
  return (
    <Dialog.Root open={isOpen} onOpenChange={(open) => (open ? undefined : close())}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="drawer" finalFocus={opener}>
          <div className="dialog-head">
            <Dialog.Title className="dialog-title">Menu</Dialog.Title>
            <Dialog.Close className="icon-button" aria-label="Close">
              <Icon name="close" />
            </Dialog.Close>
          </div>
          <Navigation onOpen={close} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
