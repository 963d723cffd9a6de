/** How fast an import goes, by what was done in the last seconds: it may have begun days ago. */
import type { ItemCounts } from "../../../../src/transfer/read.ts";
import { ITEM_KINDS, type ItemKind } from "../../../../src/transfer/records.ts";

export interface Sample {
  /** Milliseconds. */
  readonly at: number;
  readonly done: ItemCounts;
}

export interface Pace {
  /** What most of the items are. */
  readonly kind: ItemKind;
  readonly perSecond: number;
  readonly msLeft: number;
}

/** Long enough for batches to come evenly, short enough to follow a change. Arbitrary, as the next. */
const WINDOW_MS = 15_000;
/** A pace of less time says nothing. */
const MIN_MS = 1_000;

/** The samples with one more, without those that are too old to count. The last one always counts: a batch may take longer. */
export function withSample(samples: readonly Sample[], next: Sample): readonly Sample[] {
  const last = samples.at(-1);
  return [...samples.filter((one) => one === last || next.at - one.at <= WINDOW_MS), next];
}

/** Null: not known yet, or nothing moves. */
export function paceOf(samples: readonly Sample[], totals: ItemCounts): Pace | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at - first.at < MIN_MS) return null;
  const kind = ITEM_KINDS.reduce((most, one) => (totals[one] > totals[most] ? one : most));
  const perSecond = ((last.done[kind] - first.done[kind]) / (last.at - first.at)) * 1_000;
  if (perSecond <= 0) return null;
  return { kind, perSecond, msLeft: ((totals[kind] - last.done[kind]) / perSecond) * 1_000 };
}
