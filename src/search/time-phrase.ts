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
const LEADING_WORDS = /^(?:(?:since|after|from|before|until|till|by|on|during|the|around)\s+)+/iu;
/** What may stand before the part that chrono reads; "last March" is two parts to it. */
const BEFORE = /^(?:(?:in|at|on|the|of)\s+)*(?:(last|past|next)\s+)?$/iu;
const BEHIND = /^[\s.,;:!?]*(?:(?:onwards?|please)[\s.!?]*)?$/iu;
/** "until Friday" is a day to come, whichever way is asked. */
const UNTIL = /^(?:until|till|by)\s/iu;
/** Day, month, year, as it is written wherever dates have dots; chrono takes the month for the first. */
const DOTTED = /(?<![\d.])(\d{1,2})\.(\d{1,2})\.(\d{4})(?![\d.])/gu;
/** With two digits of the year no order is certain. */
const SHORT_DOTTED = /\d\.\d{1,2}\.\d/u;
const NUMERIC = /(\d{4})[-/](\d{1,2})[-/](\d{1,2})/gu;
const RELATIVE = /\b(?:last|past|this|next)\b/iu;
const WEEK = /\b(last|past|this|next)\s+week\b/iu;
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

interface Asked {
  readonly now: number;
  readonly timeZone: string;
  readonly towards: "past" | "future";
}

interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

function readWithChrono(text: string, asked: Asked): TimeSpan | null {
  const { now, timeZone } = asked;
  const bare = withoutTraps(text);
  if (SHORT_DOTTED.test(bare)) return null;
  for (const [, year, month, day] of bare.matchAll(NUMERIC)) {
    // chrono exchanges month and day where that makes a date of it.
    if (!isDay(Number(year), Number(month), Number(day))) return null;
  }
  const offset = zoneOffset(now, timeZone);
  const [found] = chrono.parse(bare, { instant: new Date(now), timezone: offset / 60_000 });
  // chrono reads a part of anything ("not Tuesday", "March and May"), and of a range this would be the beginning only.
  if (found === undefined || found.end != null) return null;
  const before = BEFORE.exec(bare.slice(0, found.index));
  if (before === null || !BEHIND.test(bare.slice(found.index + found.text.length))) return null;
  const { start, text: named } = found;
  const [year, month, day] = [start.get("year"), start.get("month"), start.get("day")];
  if (year === null || month === null || day === null || !isDay(year, month, day)) return null;

  const week = WEEK.exec(named)?.[1]?.toLowerCase();
  if (week !== undefined) {
    if (start.isCertain("hour")) return null;
    return readWeek(new Date(now + offset), {
      weeks: WEEKS_FROM_NOW[week] ?? 0,
      // chrono takes "Monday last week" for the last Monday.
      weekday: start.isCertain("weekday") ? start.get("weekday") : null,
      timeZone,
    });
  }
  if (/^(?:last|this|past|next)\s+year$/iu.test(named)) {
    return { start: startOfDay(year, 1, 1, timeZone), end: startOfDay(year + 1, 1, 1, timeZone) };
  }
  const isWholeMonth =
    /^(?:last|this|past|next)\s+month$/iu.test(named) ||
    (start.isCertain("month") && !start.isCertain("day") && !start.isCertain("weekday"));
  const spanOf = (at: Day): TimeSpan => {
    if (start.isCertain("hour")) return minuteOf(start, { year, month, day }, at, timeZone);
    const first = isWholeMonth ? 1 : at.day;
    const next = isWholeMonth ? ([at.month + 1, 1] as const) : ([at.month, at.day + 1] as const);
    return {
      start: startOfDay(at.year, at.month, first, timeZone),
      end: startOfDay(at.year, ...next, timeZone),
    };
  };
  const period = periodOf(start, named);
  const said = before[1]?.toLowerCase();
  if (said !== undefined && period !== "year") return null;
  return nearest({ year, month, day }, spanOf, {
    period,
    now,
    towards:
      said === undefined
        ? UNTIL.test(text) && period !== "year"
          ? "future"
          : asked.towards
        : said === "next"
          ? "future"
          : "past",
    isOther: said !== undefined,
  });
}

/** The phrase without what chrono would take for something else. */
function withoutTraps(text: string): string {
  return text
    .replace(LEADING_WORDS, "")
    .replaceAll(
      DOTTED,
      (_, day: string, month: string, year: string) =>
        `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`,
    )
    .replace(/^day\s+(?=(?:after|before)\s)/iu, "1 day ")
    .replace(/^(?:beginning|start|first\s+day)\s+of\s+(?=\p{L})/iu, "1 ");
}

/** @param today the account's clock, as UTC; `weekday`: 0 is Sunday, null is the whole week */
function readWeek(
  today: Date,
  {
    weeks,
    weekday,
    timeZone,
  }: { readonly weeks: number; readonly weekday: number | null; readonly timeZone: string },
): TimeSpan {
  const monday = today.getUTCDate() - ((today.getUTCDay() + 6) % 7) + 7 * weeks;
  const dayOf = (date: number) =>
    startOfDay(today.getUTCFullYear(), today.getUTCMonth() + 1, date, timeZone);
  if (weekday === null) return { start: dayOf(monday), end: dayOf(monday + 7) };
  const date = monday + ((weekday + 6) % 7);
  return { start: dayOf(date), end: dayOf(date + 1) };
}

/** The minute that chrono found on the day `found`, on the day `at`. */
function minuteOf(
  start: chrono.ParsedResult["start"],
  found: Day,
  at: Day,
  timeZone: string,
): TimeSpan {
  const clock = (on: Day) =>
    Date.UTC(on.year, on.month - 1, on.day, start.get("hour") ?? 0, start.get("minute") ?? 0);
  // chrono knows the zone's offset of today only, not that of the day it found.
  const moment = start.isCertain("timezoneOffset")
    ? start.date().getTime() + clock(at) - clock(found)
    : momentOf(clock(at), timeZone);
  return { start: moment, end: moment + 60_000 };
}

/** How often what was named comes round; null for what is named exactly. */
function periodOf(
  start: chrono.ParsedResult["start"],
  named: string,
): "year" | "week" | "day" | null {
  if (start.isCertain("year") || RELATIVE.test(named)) return null;
  if (start.isCertain("month")) return "year";
  if (start.isCertain("weekday")) return "week";
  return start.isCertain("hour") && !start.isCertain("day") ? "day" : null;
}

/**
 * chrono gives the nearest; in January "March 5" is last year's to a question, and this year's to a date of expiry. What has begun
 * lies behind and what has not ended lies before, so that today's weekday is today; `isOther` ("last March", "next March") leaves out the
 * one that is running.
 */
function nearest(
  { year, month, day }: Day,
  spanOf: (at: Day) => TimeSpan,
  {
    period,
    now,
    towards,
    isOther,
  }: {
    readonly period: ReturnType<typeof periodOf>;
    readonly now: number;
    readonly towards: "past" | "future";
    readonly isOther: boolean;
  },
): TimeSpan | null {
  const span = spanOf({ year, month, day });
  const lies =
    towards === "past"
      ? (isOther ? span.end : span.start) <= now
      : (isOther ? span.start : span.end) > now;
  if (period === null || lies) return span;
  const step = towards === "past" ? -1 : 1;
  if (period === "year") {
    // The 29th of February comes back after 4 years, or 8.
    const years = Array.from({ length: 8 }, (_, index) => year + step * (index + 1));
    const found = years.find((other) => isDay(other, month, day));
    return found === undefined ? null : spanOf({ year: found, month, day });
  }
  const date = new Date(Date.UTC(year, month - 1, day + step * (period === "week" ? 7 : 1)));
  return spanOf({
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
  });
}

function unreadable(phrase: string): UserError {
  return new UserError(
    "invalid_input",
    `"${phrase.slice(0, 40).toWellFormed()}" is not a date that I can read.`,
    'Send ISO 8601 such as 2026-03-01, or words such as "last Tuesday".',
  );
}
