import type { Answered, AskServer } from "./ask.ts";
import type { Fault } from "./faults.ts";

export interface Step {
  readonly name: string;
  /** Whose sequences begin or go through here. */
  readonly clients: string;
  /** What was found, in one line. */
  readonly found: string;
  readonly faults: readonly Fault[];
}

/** What every step has: the server's own address, and the way to ask it. */
export interface Examined {
  /** Without a path. */
  readonly origin: string;
  readonly ask: AskServer;
}

/** A step's outcome, and what the next ones build on: null where it did not come to that. */
export interface Outcome<T> {
  readonly step: Step;
  readonly value: T | null;
}

export const EVERYONE = "all";

/** What to do, once each: several faults may have one cause, and one switch. */
export function repairsOf(steps: readonly Step[]): readonly string[] {
  return [...new Set(steps.flatMap(({ faults }) => faults.map(({ repair }) => repair)))];
}

/** Of a server's own words, for one line on a page or terminal. Arbitrary. */
const MAX_SHOWN_CHARS = 120;

export function shown(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value ?? "nothing");
  return text.replaceAll(/[\p{C}\s]+/gu, " ").slice(0, MAX_SHOWN_CHARS);
}

/** "answers with status 503", for a sentence that says who. */
export function answersWith({ status, headers }: Answered): string {
  const type = headers.get("content-type")?.split(";")[0];
  return `answers with status ${status}${type === undefined ? "" : ` (${shown(type)})`}`;
}

/** What of a server's own address can be asked. Null: it is another server's, also by a path that would name one. */
export function pathOn(origin: string, address: string | undefined): string | null {
  const url = URL.parse(address ?? "");
  const isOwn = url?.origin === origin && !url.pathname.startsWith("//");
  return isOwn ? `${url.pathname}${url.search}` : null;
}
