/** What stays while pages change: the way between them, the messages, the keys. */
import { Dialog } from "@base-ui/react/dialog";
import { onlineManager } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore, type ReactNode } from "react";
import { Icon } from "./icon.tsx";
import { keepFocus } from "./keep-focus.ts";
import { Navigation } from "./navigation.tsx";
import { findPlace, Link, navigate } from "./router.tsx";
import { Shortcuts, useShortcut } from "./shortcuts.tsx";

export function Shell({ children }: { readonly children: ReactNode }) {
  useShortcut("/", "Search", toSearch);
  useEffect(keepFocus, []);
  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="side">
        <div className="side-head">
          <Brand />
          <Drawer />
        </div>
        <div className="side-body">
          <Navigation />
        </div>
      </header>
      <div className="content">
        <main id="content" tabIndex={-1}>
          <ConnectionNote />
          {children}
        </main>
      </div>
      <Shortcuts />
    </div>
  );
}

function Brand() {
  return (
    <Link to="/" className="brand">
      <img src="/assets/cofio.svg" alt="" width="28" height="28" />
      Cofio
    </Link>
  );
}

/** The navigation where there is no room beside the page. */
function Drawer() {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog.Root open={isOpen} onOpenChange={setOpen}>
      <Dialog.Trigger className="icon-button drawer-button" aria-label="Menu">
        <Icon name="menu" size={24} />
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="drawer">
          <div className="dialog-head">
            <Dialog.Title className="dialog-title">Menu</Dialog.Title>
            <Dialog.Close className="icon-button" aria-label="Close">
              <Icon name="close" />
            </Dialog.Close>
          </div>
          <Navigation onOpen={() => setOpen(false)} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function ConnectionNote() {
  const isOnline = useSyncExternalStore(
    (listener) => onlineManager.subscribe(listener),
    () => onlineManager.isOnline(),
  );
  return (
    <div role="status">
      {isOnline ? null : (
        <p className="banner">
          <Icon name="offline" /> No connection. What is shown may be out of date.
        </p>
      )}
    </div>
  );
}

/** The search field of the page, which has `data-search`, or else that of the memories. */
function toSearch(): void {
  const field = document.querySelector<HTMLElement>("[data-search]");
  if (field !== null) field.focus();
  else if (findPlace("/memories") !== null) navigate("/memories");
}
