import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { readTimePhrase, zoneOffset } from "../../src/search/time-phrase.ts";

/** A Wednesday, noon in Berlin. */
const NOW = Date.parse("2026-07-15T10:00:00Z");

function span(phrase: string, timeZone = "UTC", now = NOW): [start: string, end: string] {
  const { start, end } = readTimePhrase(phrase, now, timeZone);
  return [shown(start), shown(end)];
}

test.each([
  ["2025", "2025-01-01", "2026-01-01"],
  ["2026-02", "2026-02-01", "2026-03-01"],
  ["2026-3", "2026-03-01", "2026-04-01"],
  ["2026-03-01", "2026-03-01", "2026-03-02"],
  ["2024-02-29", "2024-02-29", "2024-03-01"],
  [" 2026-12-31 ", "2026-12-31", "2027-01-01"],
  ["2026-03-01T10:00Z", "2026-03-01T10:00", "2026-03-01T10:01"],
  ["2026-03-01T10:00:30Z", "2026-03-01T10:00:30", "2026-03-01T10:01:30"],
  ["2026-03-01T10:00+02:00", "2026-03-01T08:00", "2026-03-01T08:01"],
  ["2026-03-01T10:00-0330", "2026-03-01T13:30", "2026-03-01T13:31"],
  ["2026-03-01T10:00", "2026-03-01T10:00", "2026-03-01T10:01"],
  ["2026-03-01 10:00", "2026-03-01T10:00", "2026-03-01T10:01"],
])("%j is read as ISO 8601, as long as it is exact", (phrase, start, end) => {
  expect(span(phrase)).toEqual([start, end]);
});

test.each([
  ["today", "2026-07-15", "2026-07-16"],
  ["yesterday", "2026-07-14", "2026-07-15"],
  ["tomorrow", "2026-07-16", "2026-07-17"],
  ["3 days ago", "2026-07-12", "2026-07-13"],
  ["last Tuesday", "2026-07-14", "2026-07-15"],
  ["on Monday", "2026-07-13", "2026-07-14"],
  ["until Friday", "2026-07-17", "2026-07-18"],
  ["in two weeks", "2026-07-29", "2026-07-30"],
  ["last week", "2026-07-06", "2026-07-13"],
  ["this week", "2026-07-13", "2026-07-20"],
  ["next week", "2026-07-20", "2026-07-27"],
  ["since last week", "2026-07-06", "2026-07-13"],
  ["last month", "2026-06-01", "2026-07-01"],
  ["the last month", "2026-06-01", "2026-07-01"],
  ["two months ago", "2026-05-01", "2026-06-01"],
  ["last year", "2025-01-01", "2026-01-01"],
  ["March", "2026-03-01", "2026-04-01"],
  ["since March", "2026-03-01", "2026-04-01"],
  ["in March", "2026-03-01", "2026-04-01"],
  ["March 2024", "2024-03-01", "2024-04-01"],
  ["5 March", "2026-03-05", "2026-03-06"],
  ["31.12.2025", "2025-12-31", "2026-01-01"],
  ["01.12.2026", "2026-12-01", "2026-12-02"],
  ["since 1.2.2026", "2026-02-01", "2026-02-02"],
  ["01.12.2026 10:00", "2026-12-01T10:00", "2026-12-01T10:01"],
  ["March 2024.", "2024-03-01", "2024-04-01"],
  ["yesterday, please!", "2026-07-14", "2026-07-15"],
  ["March 2024 onwards", "2024-03-01", "2024-04-01"],
  ["in the last week", "2026-07-06", "2026-07-13"],
  ["Monday of last week", "2026-07-06", "2026-07-07"],
  ["Friday next week", "2026-07-24", "2026-07-25"],
  ["the day before yesterday", "2026-07-13", "2026-07-14"],
  ["the day after tomorrow", "2026-07-17", "2026-07-18"],
  ["end of last month", "2026-06-30", "2026-07-01"],
  ["beginning of March 2025", "2025-03-01", "2025-03-02"],
  ["2 hours ago", "2026-07-15T08:00", "2026-07-15T08:01"],
  ["in 5 minutes", "2026-07-15T10:05", "2026-07-15T10:06"],
  ["now", "2026-07-15T10:00", "2026-07-15T10:01"],
  ["yesterday at 5pm", "2026-07-14T17:00", "2026-07-14T17:01"],
  ["15 July 2026 10pm EST", "2026-07-16T03:00", "2026-07-16T03:01"],
])("%j names the days that people mean by it", (phrase, start, end) => {
  expect(span(phrase)).toEqual([start, end]);
});

test("a month without a year is the last one that began, in every month of the year", () => {
  for (let month = 0; month < 12; month++) {
    const now = Date.UTC(2026, month, 15, 12);
    expect(span("December", "UTC", now)).toEqual(
      month === 11 ? ["2026-12-01", "2027-01-01"] : ["2025-12-01", "2026-01-01"],
    );
    expect(span("January", "UTC", now)).toEqual(["2026-01-01", "2026-02-01"]);
  }
});

test("a week begins on Monday, whatever day it is", () => {
  for (let day = 13; day < 20; day++) {
    const now = Date.UTC(2026, 6, day, 12);
    expect(span("this week", "UTC", now)).toEqual(["2026-07-13", "2026-07-20"]);
    expect(span("last week", "UTC", now)).toEqual(["2026-07-06", "2026-07-13"]);
  }
});

test("days begin at the account's midnight, and which day it is depends on the place", () => {
  expect(span("2026-03-01", "Asia/Tokyo")).toEqual(["2026-02-28T15:00", "2026-03-01T15:00"]);
  expect(span("2026-03-01", "America/Los_Angeles")).toEqual([
    "2026-03-01T08:00",
    "2026-03-02T08:00",
  ]);
  expect(span("2026-03-01", "Asia/Kathmandu")).toEqual(["2026-02-28T18:15", "2026-03-01T18:15"]);
  const lateEvening = Date.parse("2026-07-15T23:30:00Z");
  expect(span("today", "Pacific/Auckland", lateEvening)).toEqual([
    "2026-07-15T12:00",
    "2026-07-16T12:00",
  ]);
  expect(span("yesterday", "America/New_York", Date.parse("2026-07-15T03:30:00Z"))).toEqual([
    "2026-07-13T04:00",
    "2026-07-14T04:00",
  ]);
  expect(span("last week", "Pacific/Auckland", Date.parse("2026-07-12T13:00:00Z"))).toEqual([
    "2026-07-05T12:00",
    "2026-07-12T12:00",
  ]);
});

test.each([
  ["Europe/Berlin", "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"],
  ["Europe/Berlin", "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"],
  ["America/New_York", "2026-03-08", "2026-03-08T05:00", "2026-03-09T04:00"],
  ["America/New_York", "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00"],
  ["Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30", "2026-10-04T13:00"],
  // Here midnight itself is skipped: the day begins at one o'clock.
  ["America/Havana", "2026-03-08", "2026-03-08T05:00", "2026-03-09T04:00"],
  ["America/Santiago", "2026-09-06", "2026-09-06T04:00", "2026-09-07T03:00"],
  ["Africa/Cairo", "2026-04-24", "2026-04-23T22:00", "2026-04-24T21:00"],
  // Here it comes twice: the day begins with the first.
  ["America/Havana", "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00"],
])("in %s the day %s is as long as the clocks make it", (timeZone, day, start, end) => {
  expect(span(day, timeZone)).toEqual([start, end]);
});

test("an hour is that of its own day's offset, not of today's", () => {
  expect(span("2026-01-10T09:00", "Europe/Berlin")).toEqual([
    "2026-01-10T08:00",
    "2026-01-10T08:01",
  ]);
  expect(span("2026-01-10 09:00", "Europe/Berlin")[0]).toBe("2026-01-10T08:00");
  expect(span("January 10 2026 at 9am", "Europe/Berlin")[0]).toBe("2026-01-10T08:00");
  expect(span("2026-03-29T01:30", "Europe/Berlin")[0]).toBe("2026-03-29T00:30");
  expect(span("2026-03-29T03:30", "Europe/Berlin")[0]).toBe("2026-03-29T01:30");
  expect(span("2026-03-08T01:30", "America/New_York")[0]).toBe("2026-03-08T06:30");
});

test("days follow each other without gap or overlap, in every zone, over the changes of the clocks", () => {
  const zone = fc.constantFrom(
    "Europe/Berlin",
    "America/Havana",
    "America/Santiago",
    "America/St_Johns",
    "Africa/Cairo",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kolkata",
  );
  const day = fc.integer({ min: 0, max: 7_000 }).map((days) => Date.UTC(2020, 0, 1 + days));
  fc.assert(
    fc.property(zone, day, (timeZone, date) => {
      const iso = (time: number) => new Date(time).toISOString().slice(0, 10);
      const today = readTimePhrase(iso(date), NOW, timeZone);
      const next = readTimePhrase(iso(date + 86_400_000), NOW, timeZone);
      expect(next.start).toBe(today.end);
      expect((today.end - today.start) / 3_600_000).toBeGreaterThanOrEqual(23);
      expect((today.end - today.start) / 3_600_000).toBeLessThanOrEqual(25);
      expect(iso(today.start + zoneOffset(today.start, timeZone))).toBe(iso(date));
      const moment = today.start - 1;
      expect(iso(moment + zoneOffset(moment, timeZone))).not.toBe(iso(date));
    }),
    { numRuns: 500 },
  );
});

test.each([
  "",
  "   ",
  "blursday",
  "the day after never",
  "5",
  "1770000000",
  "0099",
  "0000-01-01",
  "10000-01-01",
  "2026-00",
  "2026-13",
  "2026-03-00",
  "2026-02-30",
  "2025-02-29",
  "2026-02-31T10:00Z",
  "2026-03-01T25:00",
  "2026-03-01T10:00 or so",
  "in 999999 years",
  "in 30000 years",
  "' OR 1=1 --",
  // chrono reads a part of these.
  "not tuesday",
  "not yesterday",
  "between March and May 2026",
  "March to May 2026",
  "March 5 - March 10",
  "today or tomorrow",
  "second week of March",
  "Friday the 13th",
  "March last year",
  "1st of last month",
  "Monday last week at 5pm",
  "01.12.26",
  "01.13.2026",
  "2026-13-01",
  "since 2026/13/01",
  "31.02.2026",
])("%j is refused with an example of what can be read", (phrase) => {
  expect(() => readTimePhrase(phrase, NOW, "Europe/Berlin")).toThrow(UserError);
});

test("any text is read as a span that begins before it ends, or refused as the person's mistake", () => {
  const words = [
    "last next this since in ago the days week month year March Feb Tuesday noon 10pm EST today",
    "1/2 31 29 2026 99 2026-02-30 0001-01-01 9999-12-31 999999999 -1 T10:00 Z +99:99 BC",
  ];
  const word = fc.constantFrom(...words.join(" ").split(" "));
  const phrase = fc.oneof(
    fc.string({ unit: "binary", maxLength: 100 }),
    fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 100 })
      .map((units) => String.fromCharCode(...units)),
    fc.array(word, { maxLength: 6 }).map((words) => words.join(" ")),
    fc.stringMatching(/^\d{1,6}-\d{1,3}-\d{1,3}(?:T\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2})?)?$/),
    fc.stringMatching(/^\d{4}(?:-\d{1,2}){0,2}$/),
    fc.stringMatching(/^(?:in )?\d{1,9} (?:hours|days|weeks|months|years)(?: ago)?$/),
  );
  const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/Havana", "Pacific/Kiritimati");
  fc.assert(
    fc.property(phrase, zone, (text, timeZone) => {
      let read;
      try {
        read = readTimePhrase(text, NOW, timeZone);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        expect(error).toMatchObject({ code: "invalid_input" });
        return;
      }
      expect(Number.isSafeInteger(read.start)).toBe(true);
      expect(read.start).toBeLessThan(read.end);
      expect(new Date(read.end).toISOString()).toMatch(/^[+\d]/);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["Friday", "2026-07-15T10:00Z", "2026-07-10", "2026-07-17"],
  ["on Friday", "2026-07-15T10:00Z", "2026-07-10", "2026-07-17"],
  ["Wednesday", "2026-07-15T00:30Z", "2026-07-15", "2026-07-15"],
  ["Wednesday", "2026-07-15T23:30Z", "2026-07-15", "2026-07-15"],
  ["Monday", "2026-07-15T10:00Z", "2026-07-13", "2026-07-20"],
  ["last Friday", "2026-07-15T10:00Z", "2026-07-10", "2026-07-10"],
  ["March 5", "2026-01-15T10:00Z", "2025-03-05", "2026-03-05"],
  ["5 March", "2026-07-15T10:00Z", "2026-03-05", "2027-03-05"],
  ["December 25", "2026-01-15T10:00Z", "2025-12-25", "2026-12-25"],
  ["March 5", "2026-03-05T18:00Z", "2026-03-05", "2026-03-05"],
  ["end of March", "2026-12-15T10:00Z", "2026-03-31", "2027-03-31"],
  ["the end of March", "2026-01-15T10:00Z", "2025-03-31", "2026-03-31"],
  ["start of March", "2026-12-15T10:00Z", "2026-03-01", "2027-03-01"],
  ["February 29", "2028-01-15T10:00Z", "2024-02-29", "2028-02-29"],
  ["last March", "2026-03-15T10:00Z", "2025-03-01", "2025-03-01"],
  ["next March", "2026-03-15T10:00Z", "2027-03-01", "2027-03-01"],
  ["5pm", "2026-07-15T10:00Z", "2026-07-14T17:00", "2026-07-15T17:00"],
  ["5pm", "2026-07-15T18:00Z", "2026-07-15T17:00", "2026-07-16T17:00"],
])("%j asked at %s is %s to a question and %s to an expiry", (phrase, at, past, future) => {
  const starts = (["past", "future"] as const).map((towards) =>
    shown(readTimePhrase(phrase, Date.parse(at), "UTC", towards).start),
  );
  expect(starts).toEqual([past, future]);
});

test("a day named without its year lies behind a question and not behind an expiry, on every day of the year", () => {
  const days = fc
    .integer({ min: 0, max: 4_000 })
    .map((n) => Date.UTC(2020, 0, 1, 12) + n * 86_400_000);
  const names = fc.constantFrom(
    "January 31",
    "2 March",
    "July 4th",
    "December 31",
    "Sunday",
    "Thursday",
  );
  fc.assert(
    fc.property(days, names, (now, name) => {
      const past = readTimePhrase(name, now, "UTC");
      const future = readTimePhrase(name, now, "UTC", "future");
      expect(past.start).toBeLessThanOrEqual(now);
      expect(future.end).toBeGreaterThan(now);
      const period = / /.test(name) ? 366 : 7;
      expect(now - past.start).toBeLessThan(period * 86_400_000);
      expect(future.start - now).toBeLessThan(period * 86_400_000);
    }),
    { numRuns: 500 },
  );
});

/** ISO 8601 without what is zero. */
function shown(time: number): string {
  return new Date(time)
    .toISOString()
    .replace(/\.000Z$/, "")
    .replace(/:00$/, "")
    .replace(/T00:00$/, "");
}

test("a month or weekday named alone lies behind a question and before an expiry", () => {
  const now = Date.UTC(2026, 6, 15, 12);
  const iso = (time: number) => new Date(time).toISOString().slice(0, 10);
  expect(iso(readTimePhrase("December", now, "UTC").start)).toBe("2025-12-01");
  expect(iso(readTimePhrase("December", now, "UTC", "future").start)).toBe("2026-12-01");
  expect(iso(readTimePhrase("March", now, "UTC", "future").start)).toBe("2027-03-01");
  expect(iso(readTimePhrase("Monday", now, "UTC", "future").start)).toBe("2026-07-20");
});
