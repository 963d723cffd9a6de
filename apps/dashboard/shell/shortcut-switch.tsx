import { useSyncExternalStore } from "react";
import { areShortcutsOn, onShortcutsTurned, turnShortcuts } from "./shortcuts.tsx";

/** Who speaks to the computer, or rests a hand on the keys, turns them off (WCAG 2.1.4). */
export function ShortcutSwitch() {
  const isOn = useSyncExternalStore(onShortcutsTurned, areShortcutsOn);
  return (
    <label className="tick shortcut-switch">
      <input
        type="checkbox"
        checked={isOn}
        onChange={({ target }) => turnShortcuts(target.checked)}
      />
      <span>
        Single keys are shortcuts
        <small>In this browser. The same switch stands under Security.</small>
      </span>
    </label>
  );
}
