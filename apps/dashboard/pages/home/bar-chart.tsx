import { useId, useRef, useState, type KeyboardEvent } from "react";
import { counted, inFigures, scaleFigures } from "../../words/amounts.ts";
import { platformName } from "../../words/platform.ts";
import { scaleTop, type Chart, type Period, type Series } from "./periods.ts";

/** Pixels. Widths are shares of what there is. */
const PLOT_PX = 176;
const LABELS_PX = 26;
const SCALE_PX = 44;
/** Below the lines of the scale, where the line of nothing is. */
const TOP_PX = 10;
/** Under the bars; more of them would not stand beside each other on a phone. */
const MOST_LABELS = 5;

/**
 * Stacked bars, a series by colour and pattern. Each bar is reached by the arrow keys and says what it stands for; below it all stands in
 * a table too.
 */
export function BarChart({
  chart,
  title,
  unit,
  nameOf,
}: {
  readonly chart: Chart;
  readonly title: string;
  /** What is counted: `["memory", "memories"]`. */
  readonly unit: readonly [one: string, many: string];
  /** Of a period: short under the bars, whole beside its numbers. */
  readonly nameOf: (period: Period, form: "short" | "whole") => string;
}) {
  const { series, periods, total } = chart;
  const patterns = useId();
  const plot = useRef<SVGSVGElement>(null);
  const [reached, setReached] = useState(periods.length - 1);
  const [shown, setShown] = useState<number | null>(null);
  const fills = series.map(({ look }) => `url(#${patterns}${look})`);
  const top = scaleTop(Math.max(...periods.map((period) => period.total)));
  const wordsOf = (period: Period) =>
    periodWords(period, { series, unit, name: nameOf(period, "whole") });
  const move = (event: KeyboardEvent) => {
    const to = {
      ArrowLeft: reached - 1,
      ArrowRight: reached + 1,
      Home: 0,
      End: periods.length - 1,
    }[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    plot.current?.querySelectorAll<SVGElement>(".chart-bar")[to]?.focus();
  };
  const detail = shown === null ? undefined : periods[shown];
  return (
    <figure className="chart" aria-label={title}>
      <div className="chart-drawing">
        <Scale top={top} />
        <svg
          ref={plot}
          className="chart-plot"
          width="100%"
          height={TOP_PX + PLOT_PX + LABELS_PX}
          role="group"
          aria-label={`${title}, ${counted(periods.length, "bar")}: arrow keys go from one to the next`}
          onKeyDown={move}
          onPointerLeave={() => setShown(null)}
        >
          <Patterns id={patterns} looks={series.map(({ look }) => look)} />
          <Lines />
          {periods.map((period, index) => (
            <Bar
              key={period.first}
              period={period}
              top={top}
              fills={fills}
              place={{ index, of: periods.length }}
              label={wordsOf(period)}
              name={isLabelled(index, periods.length) ? nameOf(period, "short") : null}
              isReached={index === reached}
              show={(by) => {
                setShown(index);
                if (by === "focus") setReached(index);
              }}
              hide={() => setShown(null)}
            />
          ))}
        </svg>
      </div>
      <p className="chart-detail" aria-hidden="true">
        {detail === undefined ? `${counted(total, ...unit)} in all` : wordsOf(detail)}
      </p>
      <Legend series={series} fills={fills} />
      <Table chart={chart} title={title} nameOf={nameOf} />
    </figure>
  );
}

/** `Nov 17 – 23, 2026: 7 memories – ChatGPT 4, Claude 3` */
function periodWords(
  { counts, total }: Period,
  {
    series,
    unit,
    name,
  }: {
    readonly series: readonly Series[];
    readonly unit: readonly [one: string, many: string];
    readonly name: string;
  },
): string {
  const parts = series.flatMap((one, place) => {
    const count = counts[place] ?? 0;
    return count === 0 ? [] : [`${seriesName(one)} ${inFigures(count)}`];
  });
  const sum = `${name}: ${counted(total, ...unit)}`;
  return parts.length === 0 ? sum : `${sum} – ${parts.join(", ")}`;
}

function Legend({
  series,
  fills,
}: {
  readonly series: readonly Series[];
  readonly fills: readonly string[];
}) {
  return (
    <ul className="chart-legend" aria-label="Where they came from">
      {series.map((one, place) => (
        <li key={one.source ?? "others"}>
          <svg width="18" height="18" aria-hidden="true">
            <rect width="18" height="18" rx="3" fill={fills[place]} />
          </svg>
          {seriesName(one)} <span className="chart-count">{inFigures(one.total)}</span>
        </li>
      ))}
    </ul>
  );
}

/** Of the scale. */
function Lines() {
  return [0, 0.5, 1].map((share) => (
    <line
      key={share}
      className="chart-line"
      x1="0"
      x2="100%"
      y1={heightAt(share)}
      y2={heightAt(share)}
    />
  ));
}

function Bar({
  period,
  top,
  fills,
  place: { index, of },
  label,
  name,
  isReached,
  show,
  hide,
}: {
  readonly period: Period;
  readonly top: number;
  /** Of the series, in their order. */
  readonly fills: readonly string[];
  readonly place: { readonly index: number; readonly of: number };
  readonly label: string;
  /** Under it; null: there is no room for one at each. */
  readonly name: string | null;
  /** The one that Tab comes to. */
  readonly isReached: boolean;
  readonly show: (by: "focus" | "pointer") => void;
  readonly hide: () => void;
}) {
  let below = 0;
  return (
    <svg x={`${(index / of) * 100}%`} width={`${100 / of}%`} height="100%" overflow="visible">
      <g
        className="chart-bar"
        role="img"
        aria-label={label}
        tabIndex={isReached ? 0 : -1}
        onFocus={() => show("focus")}
        onBlur={hide}
        onPointerEnter={() => show("pointer")}
      >
        {/* What the pointer meets: the whole height. */}
        <rect className="chart-room" width="100%" height={TOP_PX + PLOT_PX} rx="3" />
        {period.counts.map((count, place) => {
          if (count === 0) return null;
          below += count;
          return (
            <rect
              key={place}
              className="chart-part"
              x="14%"
              width="72%"
              y={heightAt(below / top)}
              // A line of the ground shows between two.
              height={Math.max(1, (count / top) * PLOT_PX - 1)}
              fill={fills[place]}
            />
          );
        })}
      </g>
      {name === null ? null : (
        <text className="chart-word" x="50%" y={TOP_PX + PLOT_PX + 18} aria-hidden="true">
          {name}
        </text>
      )}
    </svg>
  );
}

function Scale({ top }: { readonly top: number }) {
  return (
    <svg width={SCALE_PX} height={TOP_PX + PLOT_PX + LABELS_PX} aria-hidden="true">
      {[0, 0.5, 1].map((share) => (
        <text
          key={share}
          className="chart-word chart-scale"
          x={SCALE_PX - 10}
          y={heightAt(share) + 4}
        >
          {scaleFigures(share * top)}
        </text>
      ))}
    </svg>
  );
}

/** A ground of the series' colour, and on it, from the second on, what tells it apart without colour. */
function Patterns({ id, looks }: { readonly id: string; readonly looks: readonly number[] }) {
  return (
    <defs>
      {looks.map((look) => (
        <pattern
          key={look}
          id={`${id}${look}`}
          className={`chart-series-${look}`}
          width="8"
          height="8"
          patternUnits="userSpaceOnUse"
        >
          <rect className="chart-ground" width="8" height="8" />
          <path className="chart-mark" d={MARKS[look]} />
        </pattern>
      ))}
    </defs>
  );
}

/** On squares of 8: nothing, slanted lines, level lines, crosses, upright lines. */
const MARKS = ["", "M-2 10 10-2M-2 2 2-2M6 10 10 6", "M0 4h8", "M0 0 8 8M8 0 0 8", "M4 0v8"];

function Table({
  chart: { series, periods },
  title,
  nameOf,
}: Pick<Parameters<typeof BarChart>[0], "chart" | "title" | "nameOf">) {
  return (
    <details className="chart-table">
      <summary>As a table</summary>
      <div role="region" aria-label={title} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {series.map((one) => (
                <th key={one.source ?? "others"} scope="col">
                  {seriesName(one)}
                </th>
              ))}
              <th scope="col">All</th>
            </tr>
          </thead>
          <tbody>
            {periods.toReversed().map((period) => (
              <tr key={period.first}>
                <th scope="row">{nameOf(period, "whole")}</th>
                {period.counts.map((count, place) => (
                  <td key={place}>{inFigures(count)}</td>
                ))}
                <td>{inFigures(period.total)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function seriesName({ source }: Series): string {
  return source === null ? "Others" : platformName(source);
}

/** Pixels from above. */
function heightAt(share: number): number {
  return TOP_PX + PLOT_PX * (1 - share);
}

/** The last one always, and so many before it. */
function isLabelled(index: number, of: number): boolean {
  return (of - 1 - index) % Math.ceil(of / MOST_LABELS) === 0;
}
