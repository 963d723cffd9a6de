/** How an import that runs is told. */
import { inFigures, pluralOf } from "../../src/auth/import-report.tsx";
import { ITEM_KINDS } from "../../src/transfer/records.ts";
import type { ImportProgress } from "../../src/transfer/send.ts";

const MINUTE_MS = 60_000;

/** From 0 to 1. */
export function shareDone({ done, totals }: Pick<ImportProgress, "done" | "totals">): number {
  const sum = (counts: ImportProgress["done"]) =>
    ITEM_KINDS.reduce((all, kind) => all + counts[kind], 0);
  return sum(totals) === 0 ? 1 : Math.min(1, sum(done) / sum(totals));
}

export function countsText({ done, totals }: Pick<ImportProgress, "done" | "totals">): string {
  return ITEM_KINDS.filter((kind) => totals[kind] > 0)
    .map((kind) => {
      const total = totals[kind];
      return `${inFigures(done[kind])} of ${inFigures(total)} ${pluralOf(kind, total)}`;
    })
    .join(" · ");
}

export function timeLeft(ms: number): string {
  if (ms < MINUTE_MS) return "Less than a minute left.";
  const minutes = Math.round(ms / MINUTE_MS);
  if (minutes < 100) return `About ${minutes === 1 ? "a minute" : `${minutes} minutes`} left.`;
  return `About ${Math.round(minutes / 60)} hours left.`;
}

/** "at 01:00", in the browser's time zone; with the day where it is not today's. */
export function moment(at: number, now = Date.now()): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  const time = new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (isToday) return `at ${time}`;
  return `on ${new Date(at).toLocaleDateString("en-GB", { weekday: "long" })} at ${time}`;
}
