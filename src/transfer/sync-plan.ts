/** What the plans of memories and of conversations have in common: what is to be written to each side so that both hold the same. Pure. */
import { mergeHistories, nowOf, type History, type Merged, type State } from "./sync-states.ts";

/** Of a pair: the id on each side. */
export interface PairIds {
  readonly here: string;
  readonly there: string;
}

/** The ids of one side as those of the other; what it does not know has the same id there. */
export interface IdMaps {
  readonly toHere: (id: string) => string;
  readonly toThere: (id: string) => string;
}

export interface SidePlan<Unit> {
  readonly unit: Unit;
  /** Version and digest once it is written. */
  readonly seen: Seen;
  readonly effect: "copied" | "changed" | "trashed";
}

/** A state that is to follow on both sides, once they are alike. */
export interface Closing {
  readonly status: "active" | "trashed";
  /** ISO 8601 */
  readonly at: string;
}

export interface Conflict {
  /** Whose state stays. */
  readonly kept: "here" | "there";
}

export interface Plan<Unit, Line> {
  readonly here: SidePlan<Unit> | null;
  readonly there: SidePlan<Unit> | null;
  readonly conflict: Conflict | null;
  /** As they are now; null: not there. */
  readonly was: { readonly here: Seen | null; readonly there: Seen | null };
  /** As it will be. */
  readonly last: Line;
  /** For reports: how the item begins. */
  readonly name: string;
}

/** As a list would show it. */
export interface Seen {
  readonly version: number;
  readonly digest: string;
  readonly redacted?: number;
  /** Of a conversation, where they were read. */
  readonly messages?: number;
}

/** As `mergeHistories`, also where one side has nothing. @param ahead whose state stays; null: the later one's */
export function mergeSides<Line extends TimedLine>(
  here: History<Line>,
  there: History<Line>,
  ahead: "here" | "there" | null = null,
): Merged<Line> {
  const nothing: History<Line> = [];
  if (here.length === 0) return { toHere: there, toThere: nothing, winner: null };
  if (there.length === 0) return { toHere: nothing, toThere: here, winner: null };
  return mergeHistories(here, there, ahead === null ? isLater(here, there) : ahead === "here");
}

interface TimedLine {
  readonly version: number;
  readonly text_version?: number | undefined;
  readonly updated_at?: string;
}

/** The state that stays in a conflict. Clocks decide nothing but this; where they are alike, what both sides compute alike does. */
export function isLater<Line extends TimedLine>(
  here: History<Line>,
  there: History<Line>,
): boolean {
  const [one, other] = [here.at(-1), there.at(-1)];
  if (one === undefined || other === undefined) return one !== undefined;
  const [at, otherAt] = [one.line.updated_at ?? "", other.line.updated_at ?? ""];
  if (at !== otherAt) return at > otherAt;
  return one.version === other.version ? one.digest > other.digest : one.version > other.version;
}

export async function historyOf<Line extends { readonly version: number }>(
  lines: readonly Line[],
  digestFor: (line: Line) => Promise<string>,
): Promise<History<Line>> {
  const states = await Promise.all(
    lines.map(async (line) => ({ version: line.version, digest: await digestFor(line), line })),
  );
  return states.sort((one, other) => one.version - other.version);
}

/** The state of now on a side that has written what it gets. */
export function lastOf<Line>(...states: readonly History<Line>[]): State<Line> {
  return nowOf(states.flat());
}

export function linesOf<Line>(history: History<Line>): Line[] {
  return history.map(({ line }) => line);
}

export function effectOf(
  before: { readonly status: string } | null,
  after: { readonly status: string } | null,
): "copied" | "changed" | "trashed" {
  if (before === null) return "copied";
  return after !== null && after.status === "trashed" && before.status !== "trashed"
    ? "trashed"
    : "changed";
}

/** In parts that a batch takes. */
export function cut<T>(items: readonly T[], maxChars: number, maxItems: number): T[][] {
  const parts: T[][] = [];
  let chars = 0;
  for (const item of items) {
    const size = JSON.stringify(item).length;
    const part = parts.at(-1);
    if (part === undefined || part.length >= maxItems || chars + size > maxChars) {
      parts.push([item]);
      chars = size;
    } else {
      part.push(item);
      chars += size;
    }
  }
  return parts;
}
