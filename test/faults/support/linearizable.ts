/**
 * Whether what clients saw can have happened: one call after the other, each at one moment between its beginning and its end. The search
 * is Wing and Gong's (1993) with Lowe's memory of places that lead nowhere (2017).
 */

/** What one call after the other does. */
export interface Model<State, Call> {
  readonly initial: State;
  /** The state after the call; null: in this state it would have answered otherwise. */
  readonly apply: (state: State, call: Call) => State | null;
  /** Equal for equal states. */
  readonly keyOf: (state: State) => string;
}

export interface Timed<Call> {
  readonly call: Call;
  /** On one clock for all calls, the end after the start. */
  readonly start: number;
  readonly end: number;
  /** False: it took effect before `end`, or never. */
  readonly isAnswered: boolean;
}

/** An order in which the calls can have happened, as places in `history`; null: there is none. */
export function linearization<State, Call>(
  history: readonly Timed<Call>[],
  model: Model<State, Call>,
): readonly number[] | null {
  const calls = history
    .map((timed, place) => ({ ...timed, place }))
    // Most calls take effect in the order in which they end.
    .sort((a, b) => a.end - b.end);
  const isDone = calls.map(() => false);
  const order: number[] = [];
  const leadsNowhere = new Set<string>();

  function search(state: State, latestStart: number): boolean {
    const left = calls.filter((one, at) => one.isAnswered && isDone[at] === false);
    if (left.length === 0) return true;
    const key = `${isDone.map(Number).join("")} ${model.keyOf(state)}`;
    if (leadsNowhere.has(key)) return false;
    // What has ended was before whatever begins later.
    const earliestEnd = Math.min(...left.map(({ end }) => end));
    for (const [at, { call, start, end, place }] of calls.entries()) {
      if (isDone[at] === true || start > earliestEnd || end < latestStart) continue;
      const next = model.apply(state, call);
      if (next === null) continue;
      isDone[at] = true;
      order.push(place);
      if (search(next, Math.max(latestStart, start))) return true;
      order.pop();
      isDone[at] = false;
    }
    leadsNowhere.add(key);
    return false;
  }

  return search(model.initial, Number.NEGATIVE_INFINITY) ? order : null;
}
