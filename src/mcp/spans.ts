import { readTimePhrase } from "../search/time-phrase.ts";

export interface DatesOfRequest {
  readonly after?: number;
  readonly before?: number;
  readonly datesAsSent: string;
}

/**
 * `after` begins with the span that it names, `before` ends where that begins, `on` is the whole of it; together they narrow each other.
 * @throws UserError invalid_input
 */
export function spanOf(
  {
    after,
    before,
    on,
  }: {
    readonly after?: string | undefined;
    readonly before?: string | undefined;
    readonly on?: string | undefined;
  },
  now: number,
  timeZone: string,
): DatesOfRequest {
  const span = on === undefined ? null : readTimePhrase(on, now, timeZone);
  const starts = after === undefined ? [] : [readTimePhrase(after, now, timeZone).start];
  const ends = before === undefined ? [] : [readTimePhrase(before, now, timeZone).start];
  if (span !== null) {
    starts.push(span.start);
    ends.push(span.end);
  }
  return {
    ...(starts.length === 0 ? {} : { after: Math.max(...starts) }),
    ...(ends.length === 0 ? {} : { before: Math.min(...ends) }),
    datesAsSent: JSON.stringify([after, before, on]),
  };
}
