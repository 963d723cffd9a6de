import { useId, useSyncExternalStore } from "react";
import { Icon, type IconName } from "./icon.tsx";
import { keep } from "./kept-choice.ts";

/** As `public/assets/mode.js` reads it before the first paint, on the pages of the server too. */
const KEY = "cofio-mode";

const MODES: readonly { readonly mode: string; readonly name: string; readonly icon: IconName }[] =
  [
    { mode: "light", name: "Light", icon: "light" },
    { mode: "dark", name: "Dark", icon: "dark" },
    { mode: "", name: "As the system", icon: "system" },
  ];

/** There are two switches, beside the page and in the drawer, which show the same. */
const listeners = new Set<() => void>();

export function ModeSwitch() {
  const group = useId();
  const chosen = useSyncExternalStore(subscribe, modeNow);
  return (
    <fieldset className="modes">
      <legend className="sr-only">Colours</legend>
      {MODES.map(({ mode, name, icon }) => (
        <label key={mode} title={name}>
          <input
            type="radio"
            name={group}
            className="sr-only"
            checked={chosen === mode}
            onChange={() => choose(mode)}
          />
          <Icon name={icon} size={18} />
          <span className="sr-only">{name}</span>
        </label>
      ))}
    </fieldset>
  );
}

function modeNow(): string {
  return document.documentElement.dataset["mode"] ?? "";
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function choose(mode: string): void {
  if (mode === "") delete document.documentElement.dataset["mode"];
  else document.documentElement.dataset["mode"] = mode;
  for (const listener of listeners) listener();
  keep(KEY, mode === "" ? null : mode);
}
