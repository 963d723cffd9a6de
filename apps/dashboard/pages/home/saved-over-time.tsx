import { useQuery } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { useState } from "react";
import { answerOf, api } from "../../api.ts";
import { Card } from "../../shell/page.tsx";
import { Answer } from "../../states/answer.tsx";
import { Empty } from "../../states/states.tsx";
import { daysText, shortDayText, shortMonthText, wholeMonthText } from "../../words/amounts.ts";
import { BarChart } from "./bar-chart.tsx";
import { chartOf, SPAN_DAYS, type Kind, type Period, type Span } from "./periods.ts";
import "../../styles/home.css";

type Timeline = InferResponseType<typeof api.timeline.$get>;

/** The server walks as many rows for it as there are, and a chart need not follow each change at once. */
const STALE_MS = 900_000;
/** On a page that is left open, so that no day passes it by. Arbitrary. */
const READ_AGAIN_MS = 3 * 3_600_000;

const KINDS: Readonly<Record<Kind, string>> = { memories: "Memories", messages: "Conversations" };
const UNITS = { memories: ["memory", "memories"], messages: ["message", "messages"] } as const;
const SPANS: Readonly<Record<Span, string>> = {
  month: "30 days",
  quarter: "13 weeks",
  year: "12 months",
};

/** What came when, and where from. */
export function SavedOverTime({ isDrawn }: { readonly isDrawn: boolean }) {
  const [kind, setKind] = useState<Kind>("memories");
  const [span, setSpan] = useState<Span>("quarter");
  const days = SPAN_DAYS[span];
  const timeline = useQuery({
    queryKey: ["timeline", days],
    queryFn: () => answerOf(api.timeline.$get({ query: { days } })),
    staleTime: STALE_MS,
    refetchInterval: READ_AGAIN_MS,
    meta: { live: false },
  });
  return (
    <Card
      title="Over time"
      more={
        <div className="chart-controls">
          <ChartChoice label="What" names={KINDS} value={kind} choose={setKind} />
          <ChartChoice label="How long" names={SPANS} value={span} choose={setSpan} />
        </div>
      }
    >
      <Answer query={timeline} loading={<ChartLoading />}>
        {(timeline) =>
          isDrawn ? <Drawn timeline={timeline} kind={kind} span={span} /> : <ChartLoading />
        }
      </Answer>
    </Card>
  );
}

function Drawn({
  timeline,
  kind,
  span,
}: {
  readonly timeline: Timeline;
  readonly kind: Kind;
  readonly span: Span;
}) {
  const chart = chartOf(timeline.days, { kind, span, today: todayIn(timeline.time_zone) });
  if (chart.total === 0) {
    return (
      <div className="chart-empty">
        <Empty
          title={
            kind === "memories"
              ? `No memory came in the last ${SPANS[span]}.`
              : `No conversation of the last ${SPANS[span]}.`
          }
        >
          {span === "year" ? "What is older is still there, and found." : "Choose a longer time."}
        </Empty>
      </div>
    );
  }
  return (
    <>
      <BarChart
        key={`${kind} ${span}`}
        chart={chart}
        title={`${KINDS[kind]} of the last ${SPANS[span]}`}
        unit={UNITS[kind]}
        nameOf={(period, form) => NAMES[span][form](period)}
      />
      {kind === "memories" ? null : (
        <p className="chart-note">Messages, on the day on which their conversation began.</p>
      )}
      {timeline.is_complete ? null : (
        <p className="chart-note">There are very many: the oldest are not in the drawing.</p>
      )}
    </>
  );
}

const NAMES: Readonly<Record<Span, Record<"short" | "whole", (period: Period) => string>>> = {
  month: { short: ({ last }) => shortDayText(last), whole: ({ last }) => daysText(last, last) },
  quarter: {
    short: ({ first }) => shortDayText(first),
    whole: ({ first, last }) => daysText(first, last),
  },
  year: {
    short: ({ first }) => shortMonthText(first),
    whole: ({ first }) => wholeMonthText(first),
  },
};

function ChartChoice<Value extends string>({
  label,
  names,
  value,
  choose,
}: {
  readonly label: string;
  readonly names: Readonly<Record<Value, string>>;
  readonly value: Value;
  readonly choose: (value: Value) => void;
}) {
  return (
    <select
      aria-label={label}
      value={value}
      // True: the options are its keys.
      onChange={({ target }) => choose(target.value as Value)}
    >
      {Object.entries<string>(names).map(([option, name]) => (
        <option key={option} value={option}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Of the chart's height, so that nothing jumps. */
function ChartLoading() {
  return (
    <div role="status">
      <span className="sr-only">Loading …</span>
      <div className="loading-line chart-loading" aria-hidden="true" />
    </div>
  );
}

function todayIn(timeZone: string): string {
  // The Swedish way of writing a date is ISO 8601's.
  return new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" }).format(Date.now());
}
