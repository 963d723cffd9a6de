import { useState } from "react";
import { Icon, type IconName } from "./icon.tsx";

/** As `public/assets/mode.js` reads it before the first paint, on the pages of the server too. */
const KEY = "cofio-mode";

const MODES: readonly { readonly mode: string; readonly name: string; readonly icon: IconName }[] =
  [
    { mode: "light", name: "Light", icon: "light" },
    { mode: "dark", name: "Dark", icon: "dark" },
    { mode: "", name: "As the system", icon: "system" },
  ];

export function ModeSwitch() {
  const [chosen, setChosen] = useState(() => document.documentElement.dataset["mode"] ?? "");
  const choose = (mode: string) => {
    setChosen(mode);
    if (mode === "") {
      localStorage.removeItem(KEY);
      delete document.documentElement.dataset["mode"];
    } else {
      localStorage.setItem(KEY, mode);
      document.documentElement.dataset["mode"] = mode;
    }
  };
  return (
    <fieldset className="modes">
      <legend className="sr-only">Colours</legend>
      {MODES.map(({ mode, name, icon }) => (
        <label key={mode} title={name}>
          <input
            type="radio"
            name="mode"
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
