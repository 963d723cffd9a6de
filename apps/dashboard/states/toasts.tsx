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

/** An older one would be about something that the person has left long ago. As long as one is shown (`toast-list.tsx`). */
const WAITS_MS = 10_000;

const waiting: { readonly told: Told; readonly at: number }[] = [];
let show: Show | null = null;
let want: () => void = () => {};

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
  waiting.push({ told, at: Date.now() });
  want();
}

function begin(shows: Show): void {
  show = shows;
  for (const { told, at } of waiting.splice(0)) {
    if (Date.now() - at < WAITS_MS) shows(told);
  }
}

/** Once, beside all that tells. */
export function Toasts() {
  const [list, wantList] = useLater(() => import("./toast-list.tsx"));
  useEffect(() => {
    want = () => void wantList();
    if (waiting.length > 0) want();
  }, [wantList]);
  return list === null ? null : <list.ToastList onReady={begin} />;
}
