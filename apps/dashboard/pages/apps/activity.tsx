import type { App } from "../../account/account.ts";
import { counted, dayText, inFigures } from "../../words/amounts.ts";

const DAYS = 30;
const DAY_MS = 86_400_000;
/** Of a bar and the gap after it, and of the tallest bar, in the drawing's own units. */
const STEP = 10;
const BAR = 7;
const TALLEST = 56;
/** So that one call beside hundreds is seen. */
const LOWEST = 2;

/** Calls and writes of the last 30 days: bars for the eye, a table for screen readers. */
export function Activity({ name, days }: { readonly name: string; readonly days: App["days"] }) {
  const calls = days.reduce((sum, day) => sum + day.calls, 0);
  const writes = days.reduce((sum, day) => sum + day.writes, 0);
  if (calls + writes === 0) return <p className="hint">No calls in the last 30 days.</p>;
  const most = Math.max(...days.map((day) => Math.max(day.calls, day.writes)));
  const height = (count: number) => (count === 0 ? 0 : Math.max(LOWEST, (count / most) * TALLEST));
  const today = Math.floor(Date.now() / DAY_MS);
  const place = (day: string) => DAYS - 1 - (today - Date.parse(day) / DAY_MS);
  return (
    <figure className="activity">
      <svg viewBox={`0 0 ${DAYS * STEP} ${TALLEST + 1}`} aria-hidden="true">
        <line className="activity-floor" x1="0" x2={DAYS * STEP} y1={TALLEST} y2={TALLEST} />
        {days.map((day) => (
          <g key={day.day} transform={`translate(${place(day.day) * STEP} 0)`}>
            <title>{`${dayText(day.day)}: ${dayWords(day)}`}</title>
            <Bar kind="calls" height={height(day.calls)} />
            <Bar kind="writes" height={height(day.writes)} />
          </g>
        ))}
      </svg>
      <figcaption>
        <span className="activity-calls">{counted(calls, "call")}</span>
        <span className="activity-writes">{counted(writes, "write")}</span>
        <span className="activity-span">in 30 days</span>
      </figcaption>
      <div className="sr-only">
        <table>
          <caption>Calls and writes of {name}, by day</caption>
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col">Calls</th>
              <th scope="col">Writes</th>
            </tr>
          </thead>
          <tbody>
            {days.map((day) => (
              <tr key={day.day}>
                <th scope="row">{day.day}</th>
                <td>{inFigures(day.calls)}</td>
                <td>{inFigures(day.writes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

function Bar({ kind, height }: { readonly kind: string; readonly height: number }) {
  return (
    <rect
      className={`activity-bar-${kind}`}
      width={BAR}
      height={height}
      y={TALLEST - height}
      rx="1"
    />
  );
}

function dayWords({ calls, writes }: App["days"][number]): string {
  return `${counted(calls, "call")}, ${counted(writes, "write")}`;
}
