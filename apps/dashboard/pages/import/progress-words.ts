/** How an import that runs is told. */
import type { ItemCounts } from "../../../../src/transfer/read.ts";
import {
  doneOf,
  OUTCOMES,
  pluralOf,
  type ShownReport,
} from "../../../../src/transfer/import-words.ts";
import { ITEM_KINDS } from "../../../../src/transfer/records.ts";
import { inFigures } from "../../words/figures.ts";
import type { Pace } from "./pace.ts";

const MINUTE_MS = 60_000;

interface Counted {
  readonly done: ItemCounts;
  readonly totals: ItemCounts;
}

/** From 0 to 1. */
export function shareDone({ done, totals }: Counted): number {
  const sum = (counts: ItemCounts) => ITEM_KINDS.reduce((all, kind) => all + counts[kind], 0);
  return sum(totals) === 0 ? 1 : Math.min(1, sum(done) / sum(totals));
}

/** `200 of 450 conversations · 800 of 1,800 messages` */
export function countsText({ done, totals }: Counted): string {
  return ITEM_KINDS.filter((kind) => totals[kind] > 0)
    .map((kind) => {
      const total = totals[kind];
      return `${inFigures(done[kind])} of ${inFigures(total)} ${pluralOf(kind, total)}`;
    })
    .join(" · ");
}

/** `120 conversations · 600 messages` */
export function foundText(found: ItemCounts): string {
  return ITEM_KINDS.filter((kind) => found[kind] > 0)
    .map((kind) => `${inFigures(found[kind])} ${pluralOf(kind, found[kind])}`)
    .join(" · ");
}

type CountsByKind = ShownReport["items"]["by_kind"];

/** What has got an outcome, of what was found. */
export function countedOf(counts: CountsByKind): Counted {
  const { conversation, message, memory } = counts;
  return {
    done: doneOf(counts),
    totals: { conversation: conversation.found, message: message.found, memory: memory.found },
  };
}

/** `1,600 new · 400 skipped`: of all kinds together; which of them is seldom of interest while it runs. */
export function outcomesText(counts: CountsByKind): string {
  return OUTCOMES.filter((outcome) => outcome !== "found")
    .flatMap((outcome) => {
      const count = ITEM_KINDS.reduce((sum, kind) => sum + counts[kind][outcome], 0);
      return count === 0 ? [] : [`${inFigures(count)} ${outcome}`];
    })
    .join(" · ");
}

/** `About 3 minutes left, at 1,240 messages a second.` */
export function paceText({ kind, perSecond, msLeft }: Pace): string {
  const rate = perSecond < 10 ? Math.round(perSecond * 10) / 10 : Math.round(perSecond);
  return `${timeLeft(msLeft)}, at ${inFigures(rate)} ${pluralOf(kind, rate)} a second.`;
}

function timeLeft(ms: number): string {
  if (ms < MINUTE_MS) return "Less than a minute left";
  const minutes = Math.round(ms / MINUTE_MS);
  if (minutes < 100) return `About ${minutes === 1 ? "a minute" : `${minutes} minutes`} left`;
  return `About ${Math.round(minutes / 60)} hours left`;
}
