/** Keys that work anywhere on a page, and the dialog that lists them. */
import { useEffect, useState } from "react";
import { Dialog } from "../states/dialog.tsx";

interface Shortcut {
  readonly key: string;
  /** What it does, for the list. */
  readonly name: string;
  readonly act: () => void;
}

/** Those of what is on the page now. */
const shortcuts = new Set<Shortcut>();

/** A message at the edge of the page calls itself a dialog too, and is none that holds the keys. */
const OPEN_DIALOG = "[role=dialog]:not(.toast)";
const TYPED_INTO = "input:not([type=checkbox], [type=radio]), textarea, select";

/** A key of its own for as long as the component is there; not while something is typed, and not with Ctrl, Alt or Cmd. */
export function useShortcut(key: string, name: string, act: () => void): void {
  useEffect(() => {
    const shortcut = { key, name, act };
    shortcuts.add(shortcut);
    return () => void shortcuts.delete(shortcut);
  }, [key, name, act]);
}

/** Once in the shell. */
export function Shortcuts() {
  const [shown, setShown] = useState<readonly Shortcut[]>([]);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyping(event.target) || document.querySelector(OPEN_DIALOG) !== null) return;
      if (event.key === "?") {
        event.preventDefault();
        setShown([...shortcuts]);
      }
      const last = [...shortcuts].findLast(({ key }) => key === event.key);
      if (last === undefined) return;
      event.preventDefault();
      last.act();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  return (
    <Dialog title="Keyboard shortcuts" isOpen={shown.length > 0} close={() => setShown([])}>
      <dl className="shortcuts">
        {[...shown, { key: "?", name: "Show these shortcuts" }].map(({ key, name }) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{name}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches(TYPED_INTO));
}
