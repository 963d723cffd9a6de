/** What stays while pages change: the way between them, the messages, the keys. */
import { onlineManager } from "@tanstack/react-query";
import { useEffect, useRef, useState, useSyncExternalStore, type ReactNode } from "react";
import { Icon } from "./icon.tsx";
import { keepFocus } from "./keep-focus.ts";
import { Navigation } from "./navigation.tsx";
import { findPlace, Link, navigate } from "./router.tsx";
import { Shortcuts, useShortcut } from "./shortcuts.tsx";
import { useLater } from "./use-later.ts";

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
          <Menu />
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

function Menu() {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const [drawer, wantDrawer] = useLater(() => import("./drawer.tsx"));
  const open = async () => {
    setOpen(true);
    if (await wantDrawer()) return;
    setOpen(false);
    // Mostly the server has a newer version by now. Without a connection the page says so already.
    if (navigator.onLine) location.reload();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className="icon-button drawer-button"
        aria-label="Menu"
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        onClick={() => void open()}
      >
        <Icon name="menu" size={24} />
      </button>
      {drawer === null ? null : (
        <drawer.Drawer isOpen={isOpen} close={() => setOpen(false)} opener={button} />
      )}
    </>
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
