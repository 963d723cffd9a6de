/**
 * How fast a person's clients may ask: a bucket for each grant and one for all of them, exact because every request of theirs passes the
 * one object that holds it. By grant and never by address, because the connectors of a vendor share theirs. In memory only: an object that
 * ends was asked nothing for a while, and its buckets were filling anyway.
 */

const MINUTE_MS = 60_000;
/** Many times the grants that a person uses in a minute. Arbitrary. */
const KEPT_BUCKETS = 100;
/** No grant's id. */
const EVERYBODY = "";

/** In a minute. Null: as many as come. */
export interface PaceLimits {
  readonly grant: number | null;
  readonly user: number | null;
}

export function openPace() {
  /** When each bucket is full again, in milliseconds UTC: of one that is, nothing has to be known. */
  const fullAt = new Map<string, number>();

  function waitOf(key: string, limit: number, now: number): number {
    const mostDebt = MINUTE_MS - MINUTE_MS / limit;
    return Math.max(0, (fullAt.get(key) ?? 0) - now - mostDebt);
  }

  function fill(key: string, limit: number, now: number): void {
    fullAt.set(key, Math.max(now, fullAt.get(key) ?? 0) + MINUTE_MS / limit);
    if (fullAt.size <= KEPT_BUCKETS) return;
    for (const [other, time] of fullAt) if (time <= now) fullAt.delete(other);
  }

  return {
    /** Counts one call, if it may come now. @returns milliseconds until it may; 0: it was counted */
    take(grantId: string, limits: PaceLimits, now: number): number {
      const counted = [
        { key: EVERYBODY, limit: limits.user },
        { key: grantId, limit: limits.grant },
      ].flatMap(({ key, limit }) => (limit === null ? [] : [{ key, limit }]));
      const wait = Math.max(0, ...counted.map(({ key, limit }) => waitOf(key, limit, now)));
      // What is refused costs nothing: who waits as told is let in.
      if (wait === 0) for (const { key, limit } of counted) fill(key, limit, now);
      return wait;
    },
  };
}
