/** What the chart of the home page is drawn from. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  chartOf,
  scaleTop,
  SPAN_DAYS,
  type Span,
} from "../../apps/dashboard/pages/home/periods.ts";

const DAY = 86_400_000;

test("days, weeks that end today, and months of the calendar", () => {
  const days = [
    { day: "2026-11-23", memories: { mcp: 2 }, messages: { claude: 7 } },
    { day: "2026-11-17", memories: { mcp: 1, chatgpt: 4 }, messages: {} },
    { day: "2026-11-16", memories: { chatgpt: 1 }, messages: {} },
    { day: "2025-12-01", memories: { mcp: 5 }, messages: {} },
  ];
  const of = (span: Span, kind: "memories" | "messages" = "memories") =>
    chartOf(days, { kind, span, today: "2026-11-23" });
  const weeks = of("quarter");
  expect(weeks.series).toEqual([
    { source: "chatgpt", total: 5, look: 1 },
    { source: "mcp", total: 3, look: 0 },
  ]);
  expect(weeks.periods.slice(-2)).toEqual([
    { first: "2026-11-10", last: "2026-11-16", counts: [1, 0], total: 1 },
    { first: "2026-11-17", last: "2026-11-23", counts: [4, 3], total: 7 },
  ]);
  expect(weeks.periods).toHaveLength(13);
  const months = of("year");
  expect(months.periods.map(({ first }) => first.slice(0, 7)).slice(0, 2)).toEqual([
    "2025-12",
    "2026-01",
  ]);
  expect(months.periods.at(-1)).toMatchObject({ first: "2026-11-01", last: "2026-11-23" });
  expect(months.total).toBe(13);
  expect(of("month").periods).toHaveLength(30);
  expect(of("month", "messages")).toMatchObject({ total: 7, series: [{ source: "claude" }] });
});

test("of many sources those with most are named, and the others are one", () => {
  const memories = { mcp: 6, chatgpt: 5, claude: 4, gemini: 3, grok: 2, kimi: 1 };
  const chart = chartOf([{ day: "2026-11-23", memories, messages: {} }], {
    kind: "memories",
    span: "month",
    today: "2026-11-23",
  });
  expect(chart.series.map(({ source, total }) => [source, total])).toEqual([
    ["mcp", 6],
    ["chatgpt", 5],
    ["claude", 4],
    ["gemini", 3],
    [null, 3],
  ]);
  expect(chart.periods.at(-1)?.counts).toEqual([6, 5, 4, 3, 3]);
});

test("whatever the day, the periods follow each other without a gap up to it, within what was asked for, and nothing is lost", () => {
  const spans = fc.constantFrom<Span>("month", "quarter", "year");
  const dates = fc.date({
    min: new Date("2023-01-01"),
    max: new Date("2033-01-01"),
    noInvalidDate: true,
  });
  const kept = fc.record({
    back: fc.nat(28),
    source: fc.constantFrom("mcp", "chatgpt", "claude", "gemini", "grok", "kimi", "pam"),
    count: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(spans, dates, fc.array(kept), (span, date, items) => {
      const end = Math.floor(date.getTime() / DAY) * DAY;
      const days = items.map(({ back, source, count }) => ({
        day: iso(end - back * DAY),
        memories: { [source]: count },
        messages: {},
      }));
      const { periods, series, total } = chartOf(days, { kind: "memories", span, today: iso(end) });
      expect(periods.at(-1)?.last).toBe(iso(end));
      for (const [at, { first }] of periods.entries()) {
        const before = periods[at - 1];
        if (before !== undefined) expect(Date.parse(first) - Date.parse(before.last)).toBe(DAY);
      }
      const first = Date.parse(periods[0]?.first ?? "");
      expect((end - first) / DAY).toBeLessThan(SPAN_DAYS[span]);
      const all = items.reduce((sum, { count }) => sum + count, 0);
      expect([total, periods.reduce((sum, one) => sum + one.total, 0)]).toEqual([all, all]);
      expect(series.length).toBeLessThanOrEqual(5);
      expect(new Set(series.map(({ look }) => look)).size).toBe(series.length);
      for (const { source, look } of series) {
        expect(look).toBeLessThan(5);
        if (source === "claude") expect(look).toBe(2);
      }
    }),
  );
});

test("the scale ends at a round number that nothing is above, with a whole number at its half", () => {
  fc.assert(
    fc.property(fc.nat(10_000_000), (most) => {
      const top = scaleTop(most);
      expect(top).toBeGreaterThanOrEqual(most);
      expect(top).toBeLessThanOrEqual(Math.max(2, most * 2));
      expect(Number.isInteger(top / 2)).toBe(true);
    }),
  );
});

function iso(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
