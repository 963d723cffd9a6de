/** Dates as people and models write them: ISO 8601, or plain phrases read in the account's time zone. */
import * as chrono from "chrono-node/en";
import { UserError } from "../errors.ts";

/** Milliseconds UTC; `end` exclusive. A moment is one minute long. */
export interface TimeSpan {
  readonly start: number;
  readonly end: number;
}

const ISO_MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;
/** Not "in": it makes "in two weeks" a time to come. */
const LEADING_WORD = /^(?:since|after|from|before|until|by|on|during|the)\s+/iu;
const WEEK = /^(last|past|this|next)\s+week$/iu;
const WEEKS_FROM_NOW: Readonly<Record<string, number>> = { last: -1, past: -1, this: 0, next: 1 };
/** `Date.UTC` takes years below 100 for those of the twentieth century, and ISO 8601 writes more than four digits with a sign. */
const YEARS = { first: 100, last: 9_999 };

/**
 * The span that a phrase names: "March" is that month, "last Tuesday" that day, "2026-03-01T10:00Z" that minute.
 * @throws UserError invalid_input
 */
export function readTimePhrase(
  phrase: string,
  now: number,
  timeZone: string,
  towards: "past" | "future" = "past",
): TimeSpan {
  const text = phrase.trim();
  if (ISO_MOMENT.test(text)) {
    const hasZone = /(?:Z|[+-]\d{2}:?\d{2})$/iu.test(text);
    const moment = hasZone ? Date.parse(text) : Date.parse(`${text}Z`);
    if (
      Number.isNaN(moment) ||
      !isDay(Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8, 10)))
    ) {
      throw unreadable(phrase);
    }
    const start = hasZone ? moment : momentOf(moment, timeZone);
    return { start, end: start + 60_000 };
  }
  const span = readYearOrDay(text, timeZone) ?? readWithChrono(text, { now, timeZone, towards });
  if (span === null) throw unreadable(phrase);
  return span;
}

/** Milliseconds that the zone is ahead of UTC at a moment. */
export function zoneOffset(moment: number, timeZone: string): number {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    })
      .formatToParts(moment)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const local = Date.UTC(
    parts["year"] ?? 0,
    (parts["month"] ?? 1) - 1,
    parts["day"] ?? 1,
    parts["hour"] ?? 0,
    parts["minute"] ?? 0,
    parts["second"] ?? 0,
  );
  return local - Math.floor(moment / 1000) * 1000;
}

/** The first moment of a local day. Month and day may run over, as in Date.UTC. */
function startOfDay(year: number, month: number, day: number, timeZone: string): number {
  return momentOf(Date.UTC(year, month - 1, day), timeZone);
}

/** When the clocks of a zone show what UTC's clocks show at `local`; where they skip it, the moment after the gap. */
function momentOf(local: number, timeZone: string): number {
  const first = local - zoneOffset(local, timeZone);
  // The offset there can differ from the one at `local` in UTC when the clocks change between them.
  const second = local - zoneOffset(first, timeZone);
  return second + zoneOffset(second, timeZone) < local ? first : second;
}

/** The 31st of February is none. */
function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return (
    year >= YEARS.first &&
    year <= YEARS.last &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day
  );
}

function readYearOrDay(text: string, timeZone: string): TimeSpan | null {
  const match = /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$/.exec(text);
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)];
  if (!isDay(year, Number(match[2] ?? 1), Number(match[3] ?? 1))) return null;
  if (month === 0) {
    return { start: startOfDay(year, 1, 1, timeZone), end: startOfDay(year + 1, 1, 1, timeZone) };
  }
  if (day === 0) {
    return {
      start: startOfDay(year, month, 1, timeZone),
      end: startOfDay(year, month + 1, 1, timeZone),
    };
  }
  return {
    start: startOfDay(year, month, day, timeZone),
    end: startOfDay(year, month, day + 1, timeZone),
  };
}

function readWithChrono(
  text: string,
  {
    now,
    timeZone,
    towards,
  }: { readonly now: number; readonly timeZone: string; readonly towards: "past" | "future" },
): TimeSpan | null {
  const reference = { instant: new Date(now), timezone: zoneOffset(now, timeZone) / 60_000 };
  const bare = text.replace(LEADING_WORD, "");
  const [found] = chrono.parse(bare, reference, { forwardDate: towards === "future" });
  if (found === undefined) return null;
  const { start } = found;
  const [year, month, day] = [start.get("year"), start.get("month"), start.get("day")];
  if (year === null || month === null || day === null || !isDay(year, month, day)) return null;
  if (start.isCertain("hour")) {
    const local = Date.UTC(year, month - 1, day, start.get("hour") ?? 0, start.get("minute") ?? 0);
    // chrono knows the zone's offset of today only, not that of the day it found.
    const moment = start.isCertain("timezoneOffset")
      ? start.date().getTime()
      : momentOf(local, timeZone);
    return { start: moment, end: moment + 60_000 };
  }
  const week = WEEK.exec(bare)?.[1]?.toLowerCase();
  if (week !== undefined) {
    const today = new Date(now + zoneOffset(now, timeZone));
    const monday =
      today.getUTCDate() - ((today.getUTCDay() + 6) % 7) + 7 * (WEEKS_FROM_NOW[week] ?? 0);
    const weekday = (date: number) =>
      startOfDay(today.getUTCFullYear(), today.getUTCMonth() + 1, date, timeZone);
    return { start: weekday(monday), end: weekday(monday + 7) };
  }
  if (/^(?:last|this|past|next)\s+year$/iu.test(bare)) {
    return { start: startOfDay(year, 1, 1, timeZone), end: startOfDay(year + 1, 1, 1, timeZone) };
  }
  const isWholeMonth =
    /^(?:last|this|past|next)\s+month$/iu.test(bare) ||
    (start.isCertain("month") && !start.isCertain("day") && !start.isCertain("weekday"));
  if (isWholeMonth) {
    const inYear = start.isCertain("year") ? year : yearOf(month, year, { now, towards });
    return {
      start: startOfDay(inYear, month, 1, timeZone),
      end: startOfDay(inYear, month + 1, 1, timeZone),
    };
  }
  return {
    start: startOfDay(year, month, day, timeZone),
    end: startOfDay(year, month, day + 1, timeZone),
  };
}

/** The year of a month that was named alone: in January "March" is last March to a question, and next March to a date of expiry. */
function yearOf(
  month: number,
  year: number,
  { now, towards }: { readonly now: number; readonly towards: "past" | "future" },
): number {
  if (towards === "past" && Date.UTC(year, month - 1, 1) > now) return year - 1;
  if (towards === "future" && Date.UTC(year, month, 1) <= now) return year + 1;
  return year;
}

function unreadable(phrase: string): UserError {
  return new UserError(
    "invalid_input",
    `"${phrase.slice(0, 40).toWellFormed()}" is not a date that I can read.`,
    'Send ISO 8601 such as 2026-03-01, or words such as "last Tuesday".',
  );
}
