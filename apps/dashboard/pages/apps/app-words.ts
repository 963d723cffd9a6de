/** What apps and tokens are, may and did, in words. */
import type { App } from "../../account/account.ts";
import type { Operation } from "../../changes/operation-text.ts";
import { counted } from "../../words/amounts.ts";

export const KINDS: Readonly<Record<App["kind"], string>> = {
  oauth: "App",
  token: "Token",
  program: "Program on this computer",
};

export const STATES: Readonly<
  Record<App["state"], { readonly name: string; readonly meaning: string }>
> = {
  active: { name: "Active", meaning: "It does what it may." },
  read_only: { name: "Read-only", meaning: "It searches and reads, and can change nothing." },
  paused: {
    name: "Paused",
    meaning: "It reads and changes nothing, and is told that you paused it.",
  },
};

type Kind = Operation["kind"];

const DID: Readonly<Record<Kind, string>> = {
  save: "saved",
  update: "changed",
  delete: "deleted",
  restore: "restored",
  import: "imported",
  undo: "undid",
  rule: "rules applied",
  sync: "synced",
};
// Fixed, so that the words do not jump about.
const ORDER = ["save", "update", "delete", "restore", "import", "sync", "undo", "rule"] as const;

/** `saved 12 times, imported once`; empty: nothing. @param wrote operations by kind */
export function wroteText(wrote: Readonly<Partial<Record<Kind, number>>>): string {
  return ORDER.flatMap((kind) => {
    const times = wrote[kind] ?? 0;
    return times === 0 ? [] : [`${DID[kind]} ${timesText(times)}`];
  }).join(", ");
}

function timesText(times: number): string {
  return times === 1 ? "once" : counted(times, "time");
}
