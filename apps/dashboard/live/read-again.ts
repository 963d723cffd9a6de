/** Reading again what is shown, after a change: the one place for it, because a page hears of its own changes twice, by the answer and over the socket. */
import type { Query, QueryClient } from "@tanstack/react-query";

/**
 * From the last sign of a change: the answer and what the socket says of it come apart by milliseconds, and changes come in groups.
 * A tenth of a second is felt as at once (Nielsen, Response Times).
 */
const GATHER_MS = 100;
/** From one reading for what others did to the next: an assistant may save for minutes, and each time all that is shown is read. Arbitrary. */
const PAUSE_MS = 2_000;

interface Reading {
  readonly timer: ReturnType<typeof setTimeout>;
  readonly isOwn: boolean;
  readonly done: PromiseWithResolvers<void>;
}

let gathering: Reading | null = null;
/** When it was last read for what others did. */
let readAt = -Infinity;

/**
 * Has every query that is shown ask again, and those that are not when they are shown next.
 * @param isOwn the change was made here; else those with `meta: { live: false }` stay as they are
 * @returns when what is shown was read
 */
export function readAgain(queries: QueryClient, { isOwn }: { isOwn: boolean }): Promise<void> {
  const before = gathering;
  if (before !== null) clearTimeout(before.timer);
  const isAnyOwn = isOwn || before?.isOwn === true;
  const reading: Reading = {
    isOwn: isAnyOwn,
    done: before?.done ?? Promise.withResolvers(),
    timer: setTimeout(
      () => {
        gathering = null;
        if (!isAnyOwn) readAt = Date.now();
        const predicate = (query: Query) => isMeant(query, isAnyOwn);
        reading.done.resolve(queries.invalidateQueries({ predicate }));
      },
      isAnyOwn ? GATHER_MS : Math.max(GATHER_MS, readAt + PAUSE_MS - Date.now()),
    ),
  };
  gathering = reading;
  return reading.done.promise;
}

/** What the socket tells by itself is asked of nobody (`live.ts`). */
function isMeant({ meta, queryKey }: Query, isOwn: boolean): boolean {
  return queryKey[0] !== "live" && (isOwn || meta?.["live"] !== false);
}
