/** Keys that work anywhere on a page, and the dialog that lists them. */
import { useEffect, useState, useSyncExternalStore } from "react";
import { Dialog } from "../states/dialog.tsx";
import { keep, readKept } from "./kept-choice.ts";

interface Shortcut {
  readonly key: string;
  /** What it does, for the list. */
  readonly name: string;
  readonly act: () => void;
}

/** Those of what is on the page now. */
const shortcuts = new Set<Shortcut>();

/** In the browser's own keeping; without a choice they are on. */
const KEY = "cofio-shortcuts";
let areOn = readKept(KEY) !== "off";
const listeners = new Set<() => void>();

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
      if (!areOn || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey)
        return;
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
        {[...shown, ...ALWAYS].map(({ key, name }) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{name}</dd>
          </div>
        ))}
      </dl>
      <ShortcutSwitch />
    </Dialog>
  );
}

/** Who speaks to the computer, or rests a hand on the keys, turns them off (WCAG 2.1.4). */
export function ShortcutSwitch() {
  const isOn = useSyncExternalStore(subscribe, () => areOn);
  return (
    <label className="tick shortcut-switch">
      <input type="checkbox" checked={isOn} onChange={({ target }) => turn(target.checked)} />
      <span>
        Single keys are shortcuts
        <small>In this browser. The same switch stands under Security.</small>
      </span>
    </label>
  );
}

function turn(isOn: boolean): void {
  areOn = isOn;
  keep(KEY, isOn ? null : "off");
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Besides those of the page. The second is the library's (`states/toasts.tsx`). */
const ALWAYS = [
  { key: "?", name: "Show these shortcuts" },
  { key: "F6", name: "To the messages, such as “Undo”" },
] as const;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches(TYPED_INTO));
}
