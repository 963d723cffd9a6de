/** Numbers and times as the person reads them: in their language, and in the time zone of their account. */
import { person } from "../person.ts";

export { counted, inFigures, scaleFigures } from "./figures.ts";

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
// Days without a time are read as those of UTC.
const shortDayFormat = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  timeZone: "UTC",
});
const wholeDayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const shortMonthFormat = new Intl.DateTimeFormat(undefined, { month: "short", timeZone: "UTC" });
const wholeMonthFormat = new Intl.DateTimeFormat(undefined, {
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});
const relativeFormat = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "long" });

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Beyond it a date says more than a count of days. Arbitrary. */
const LONGEST_AGO_MS = 7 * DAY_MS;

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

/** `Nov 23`. @param day `2026-11-23` */
export function shortDayText(day: string): string {
  return shortDayFormat.format(Date.parse(day));
}

/** `Nov 17 – 23, 2026`; of one day that day. */
export function daysText(first: string, last: string): string {
  return wholeDayFormat.formatRange(Date.parse(first), Date.parse(last));
}

/** `Nov`. @param day one of the month */
export function shortMonthText(day: string): string {
  return shortMonthFormat.format(Date.parse(day));
}

/** `November 2026`. */
export function wholeMonthText(day: string): string {
  return wholeMonthFormat.format(Date.parse(day));
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
