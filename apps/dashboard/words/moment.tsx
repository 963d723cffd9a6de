import { useEffect, useState } from "react";
import { agoText, momentText } from "./amounts.ts";

/** The smallest step that is told. */
const TICK_MS = 60_000;

/** When something was, as a distance that stays true; the exact time on hover and to machines. */
export function Moment({ time }: { readonly time: string }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={time} title={momentText(time)}>
      {agoText(time, Math.max(now, Date.parse(time)))}
    </time>
  );
}
