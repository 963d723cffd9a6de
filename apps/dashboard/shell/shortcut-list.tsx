import { Dialog } from "../states/dialog.tsx";
import { ShortcutSwitch } from "./shortcut-switch.tsx";
import type { Shortcut } from "./shortcuts.tsx";

export function ShortcutList({
  shown,
  close,
}: {
  /** None: it is closed. */
  readonly shown: readonly Shortcut[];
  readonly close: () => void;
}) {
  return (
    <Dialog title="Keyboard shortcuts" isOpen={shown.length > 0} close={close}>
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

/** Besides those of the page. The second is the library's (`states/toast-list.tsx`). */
const ALWAYS = [
  { key: "?", name: "Show these shortcuts" },
  { key: "F6", name: "To the messages, such as “Undo”" },
] as const;
