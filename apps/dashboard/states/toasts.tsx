/**
 * Short messages that come and go, at the edge of the page: what was done, with the way back, and what failed. What shows them is larger
 * than most pages, and is loaded when there is the first to show, or a little after the page.
 */
import { useEffect } from "react";
import type { ApiProblem } from "../api.ts";
import { useLater } from "../shell/use-later.ts";

export interface Told {
  readonly message: string;
  readonly hint?: string | undefined;
  readonly isProblem: boolean;
  readonly action?: Action | undefined;
}

interface Action {
  readonly name: string;
  readonly act: () => void;
}

export type Show = (told: Told) => void;

const waiting: Told[] = [];
let show: Show | null = null;
let load: () => void = () => {};

/** @param action what the button on it does, such as undo */
export function tell(message: string, action?: Action): void {
  add({ message, action, isProblem: false });
}

/** A request of the person's that failed. */
export function tellProblem({ message, hint }: ApiProblem): void {
  add({ message, hint, isProblem: true });
}

function add(told: Told): void {
  if (show !== null) return show(told);
  waiting.push(told);
  load();
}

function begin(shows: Show): void {
  show = shows;
  for (const told of waiting.splice(0)) shows(told);
}

/** Once, beside all that tells. */
export function Toasts() {
  const [list, want] = useLater(() => import("./toast-list.tsx"));
  useEffect(() => {
    load = want;
  }, [want]);
  return list === null ? null : <list.ToastList ready={begin} />;
}
