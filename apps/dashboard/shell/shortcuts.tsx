/** Keys that work anywhere on a page. */
import { useEffect, useState } from "react";
import { keep, readKept } from "./kept-choice.ts";
import { useLater } from "./use-later.ts";

export interface Shortcut {
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
  const [list, wantList] = useLater(() => import("./shortcut-list.tsx"));
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (!areOn || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey)
        return;
      if (isTyping(event.target) || document.querySelector(OPEN_DIALOG) !== null) return;
      if (event.key === "?") {
        event.preventDefault();
        setShown([...shortcuts]);
        void wantList().then((isThere) => (isThere ? undefined : setShown([])));
      }
      const last = [...shortcuts].findLast(({ key }) => key === event.key);
      if (last === undefined) return;
      event.preventDefault();
      last.act();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [wantList]);
  return list === null ? null : <list.ShortcutList shown={shown} close={() => setShown([])} />;
}

export function areShortcutsOn(): boolean {
  return areOn;
}

export function turnShortcuts(isOn: boolean): void {
  areOn = isOn;
  keep(KEY, isOn ? null : "off");
  for (const listener of listeners) listener();
}

export function onShortcutsTurned(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches(TYPED_INTO));
}
