/** What the timeline says of days, put together for a chart: by stretches of time, and by the sources that brought most. */
import { SOURCES, type Source } from "../../../../src/storage/closed-lists.ts";

/** As the API answers it. */
export interface TimelineDay {
  /** `2026-11-23`, in the person's time zone. */
  readonly day: string;
  readonly memories: CountBySource;
  readonly messages: CountBySource;
}

type CountBySource = { readonly [Name in Source]?: number | undefined };

export type Kind = "memories" | "messages";

/** How far back, and in what steps. */
export type Span = keyof typeof SPAN_DAYS;

/** As many as the API is asked for; twelve months begin at most 366 days ago. */
export const SPAN_DAYS = { month: 30, quarter: 91, year: 366 } as const;

export interface Period {
  /** Days, `2026-11-23`, both inclusive. */
  readonly first: string;
  readonly last: string;
  /** In the order of the series. */
  readonly counts: readonly number[];
  readonly total: number;
}

/** A source, or all the others together. */
export interface Series {
  readonly source: Source | null;
  /** Its colour and pattern, from 0 to 4. They do not follow from its rank, so that a source can be compared over charts. */
  readonly look: number;
  readonly total: number;
}

export interface Chart {
  /** Most first, the others last. */
  readonly series: readonly Series[];
  /** The oldest first; those without anything are there too. */
  readonly periods: readonly Period[];
  readonly total: number;
}

/** Told apart by pattern and colour; more of them are not. Arbitrary. */
const MOST_SERIES = 5;
const DAY_MS = 86_400_000;
const WEEK_DAYS = 7;
const MONTHS = 12;

/** @param today `2026-11-23`, in the time zone of the timeline */
export function chartOf(
  days: readonly TimelineDay[],
  { kind, span, today }: { readonly kind: Kind; readonly span: Span; readonly today: string },
): Chart {
  const stretches = stretchesOf(span, today);
  const first = stretches[0]?.first ?? today;
  const within = days.filter(({ day }) => day >= first && day <= today);
  const totals = new Map<Source, number>();
  for (const { [kind]: bySource } of within) {
    for (const [source, count] of entriesOf(bySource)) {
      totals.set(source, (totals.get(source) ?? 0) + count);
    }
  }
  const ranked = [...totals].sort(([, one], [, other]) => other - one);
  // One alone is as easily named as called other.
  const named = ranked.slice(0, ranked.length > MOST_SERIES ? MOST_SERIES - 1 : MOST_SERIES);
  const rest = ranked.slice(named.length);
  const looks = looksOf(
    named.map(([source]) => source),
    rest.length > 0,
  );
  const series: Series[] = [
    ...named.map(([source, total]) => ({ source, total, look: looks.get(source) ?? OTHERS_LOOK })),
    ...(rest.length === 0
      ? []
      : [{ source: null, look: OTHERS_LOOK, total: sumOf(rest.map(([, total]) => total)) }]),
  ];
  const placeOf = new Map(named.map(([source], place) => [source, place]));
  const periods = stretches.map(({ first, last }): Period => {
    const counts = series.map(() => 0);
    for (const { day, [kind]: bySource } of within) {
      if (day < first || day > last) continue;
      for (const [source, count] of entriesOf(bySource)) {
        const place = placeOf.get(source) ?? named.length;
        counts[place] = (counts[place] ?? 0) + count;
      }
    }
    return { first, last, counts, total: sumOf(counts) };
  });
  return { series, periods, total: sumOf(series.map(({ total }) => total)) };
}

/** The quietest of them, which a source has only where there are no others. */
const OTHERS_LOOK = MOST_SERIES - 1;
/** Those of most people, so that each of them has the same look in every chart. The others have what these leave. */
const FAMILIAR: readonly Source[] = ["mcp", "chatgpt", "claude", "gemini"];

/** Whatever their ranks. */
function looksOf(sources: readonly Source[], hasOthers: boolean): Map<Source, number> {
  const familiar = FAMILIAR.filter((source) => sources.includes(source));
  const looks = new Map(familiar.map((source) => [source, FAMILIAR.indexOf(source)]));
  const taken = new Set(looks.values());
  const free = Array.from(
    { length: hasOthers ? OTHERS_LOOK : MOST_SERIES },
    (_, look) => look,
  ).filter((look) => !taken.has(look));
  const rest = SOURCES.filter((source) => sources.includes(source) && !looks.has(source));
  for (const [place, source] of rest.entries()) looks.set(source, free[place] ?? OTHERS_LOOK);
  return looks;
}

/** A round number that is at least as large, and its half: where the lines of the scale are drawn. */
export function scaleTop(most: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 2)));
  const step = [1, 2, 4, 6, 8, 10].find((times) => times * power >= most) ?? 10;
  return Math.max(2, step * power);
}

function stretchesOf(span: Span, today: string): { readonly first: string; last: string }[] {
  switch (span) {
    case "month":
      return stepsOf(SPAN_DAYS.month, 1, today);
    case "quarter":
      return stepsOf(SPAN_DAYS.quarter / WEEK_DAYS, WEEK_DAYS, today);
    case "year": {
      const [year = 0, month = 1] = today.split("-").map(Number);
      // Day 0 of a month is the last one of the month before.
      return Array.from({ length: MONTHS }, (_, at) => {
        const index = month - MONTHS + at;
        const last = dayText(Date.UTC(year, index + 1, 0));
        return { first: dayText(Date.UTC(year, index, 1)), last: last < today ? last : today };
      });
    }
  }
}

/** The last of them ends today. */
function stepsOf(count: number, days: number, today: string) {
  return Array.from({ length: count }, (_, at) => {
    const last = Date.parse(today) - (count - 1 - at) * days * DAY_MS;
    return { first: dayText(last - (days - 1) * DAY_MS), last: dayText(last) };
  });
}

function dayText(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function entriesOf(bySource: CountBySource): [Source, number][] {
  // True because its keys are sources, and JSON has no undefined.
  return Object.entries(bySource) as [Source, number][];
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
