/** Numbers and times as the person reads them: in their language, and in the time zone of their account. */
import { person } from "../person.ts";

const numbers = new Intl.NumberFormat();
const dayFormat = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeZone: person.timeZone,
});
const monthFormat = new Intl.DateTimeFormat(undefined, {
  month: "long",
  year: "numeric",
  timeZone: person.timeZone,
});
const momentFormat = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "short",
  timeZone: person.timeZone,
});
const relativeFormat = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "long" });

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Beyond it a date says more than a count of days. Arbitrary. */
const LONGEST_AGO_MS = 7 * DAY_MS;

export function inFigures(count: number): string {
  return numbers.format(count);
}

/** `3 memories`, `1 memory`. @param other where an `s` does not make it */
export function counted(count: number, one: string, other = `${one}s`): string {
  return `${inFigures(count)} ${count === 1 ? one : other}`;
}

export function bytesText(bytes: number): string {
  const units = ["kilobyte", "megabyte", "gigabyte"] as const;
  const thousands = Math.floor(Math.log10(Math.max(bytes, 1)) / 3);
  const power = Math.min(Math.max(thousands, 1), units.length);
  return new Intl.NumberFormat(undefined, {
    style: "unit",
    unit: units[power - 1] ?? "kilobyte",
    unitDisplay: "short",
    maximumFractionDigits: power < 2 ? 0 : 1,
  }).format(bytes / 1_000 ** power);
}

/** @param time ISO 8601, as the API says it */
export function dayText(time: string): string {
  return dayFormat.format(Date.parse(time));
}

/** `November 2026`: between the parts of a list by date. */
export function monthText(time: string): string {
  return monthFormat.format(Date.parse(time));
}

export function momentText(time: string): string {
  return momentFormat.format(Date.parse(time));
}

/** `3 minutes ago`, `yesterday`; a date when it is longer ago. */
export function agoText(time: string, now: number): string {
  const passed = Math.max(0, now - Date.parse(time));
  if (passed < MINUTE_MS) return relativeFormat.format(0, "second");
  if (passed < HOUR_MS) return relativeFormat.format(-Math.floor(passed / MINUTE_MS), "minute");
  if (passed < DAY_MS) return relativeFormat.format(-Math.floor(passed / HOUR_MS), "hour");
  if (passed < LONGEST_AGO_MS) return relativeFormat.format(-Math.floor(passed / DAY_MS), "day");
  return dayText(time);
}
