/** Conversations from logs that hold events and no conversations. */

export interface Timed {
  /** Milliseconds; null where the log does not say or says nonsense. */
  readonly time: number | null;
}

/** A longer pause begins another conversation: what other importers of such logs take, no rule of a platform. */
const GAP_MS = 30 * 60 * 1000;

/** The occurrence number of each text, so that two equal prompts in one second stay two. */
export function counter(): (key: string) => number {
  const counts = new Map<string, number>();
  return (key) => {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count;
  };
}

/** By time; an event without one stays behind the event that it follows in the log. */
export function oldestFirst<Event extends Timed>(events: readonly Event[]): Event[] {
  const times = events.flatMap(({ time }) => (time === null ? [] : [time]));
  // A log is newest first, and only one that somebody has sorted is not.
  const isNewestFirst = (times[0] ?? 0) >= (times.at(-1) ?? 0);
  let latest = Number.NEGATIVE_INFINITY;
  return (isNewestFirst ? events.toReversed() : [...events])
    .map((event) => {
      latest = event.time ?? latest;
      return { event, time: latest };
    })
    .toSorted((one, other) => (one.time === other.time ? 0 : one.time - other.time))
    .map(({ event }) => event);
}

/**
 * Split where the log pauses. An event without a time is part of a conversation that goes on behind it; anywhere else nothing says what
 * it belongs to, and it stands alone.
 */
export function groupsByGap<Event extends Timed>(events: readonly Event[]): Event[][] {
  const groups: Event[][] = [];
  let group: Event[] = [];
  let latest: number | null = null;
  let untimed: Event[] = [];
  for (const event of events) {
    if (event.time === null) {
      untimed.push(event);
      continue;
    }
    if (latest !== null && event.time - latest <= GAP_MS) {
      for (const between of untimed) group.push(between);
      group.push(event);
    } else {
      for (const alone of untimed) groups.push([alone]);
      group = [event];
      groups.push(group);
    }
    untimed = [];
    latest = event.time;
  }
  for (const alone of untimed) groups.push([alone]);
  return groups;
}
