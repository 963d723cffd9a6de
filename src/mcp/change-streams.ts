/**
 * The streams on which one user's clients hear of changes (`subscriptions/listen`, revision 2026-07-28). Few and short: an open one keeps
 * the user's object in memory, and its time is billed.
 */
import type { ServerEvent, ServerEventBus } from "@modelcontextprotocol/server";

export const MAX_STREAMS = 2;
/** Clients open another one when this is over. */
export const STREAM_MS = 300_000;

interface Stream {
  readonly grantId: string;
  /** Milliseconds UTC. */
  readonly openedAt: number;
  readonly tell: (event: ServerEvent) => void;
  readonly end: () => void;
}

export interface ChangeStreams {
  /** How many more may be opened. */
  room(): number;
  /** Since when anybody listens, milliseconds UTC; null: nobody does. */
  listeningSince(): number | null;
  /**
   * The source of events for one request, in case it is one that listens.
   * @param options.isLetIn whether its grant still may, which may have changed since the request began @param options.end ends what that request opened
   */
  busFor(
    grantId: string,
    options: { readonly isLetIn: () => boolean; readonly end: () => void },
  ): ServerEventBus;
  resourcesChanged(uris: readonly string[]): void;
  /** Of a grant that is no more. */
  endOf(grantId: string): void;
}

export function openChangeStreams(): ChangeStreams {
  const streams = new Set<Stream>();

  function publish(event: ServerEvent): void {
    for (const stream of streams) stream.tell(event);
  }

  return {
    room: () => Math.max(0, MAX_STREAMS - streams.size),
    listeningSince: () =>
      streams.size === 0 ? null : Math.min(...[...streams].map(({ openedAt }) => openedAt)),
    busFor: (grantId, { isLetIn, end }) => ({
      publish,
      subscribe(tell) {
        // Two requests may have found the same last place; the library has begun an answer by now, which ends at once.
        if (streams.size >= MAX_STREAMS || !isLetIn()) {
          queueMicrotask(end);
          return () => {};
        }
        const stream: Stream = { grantId, openedAt: Date.now(), tell, end };
        streams.add(stream);
        const timer = setTimeout(end, STREAM_MS);
        return () => {
          clearTimeout(timer);
          streams.delete(stream);
        };
      },
    }),
    resourcesChanged(uris) {
      for (const uri of uris) publish({ kind: "resource_updated", uri });
    },
    endOf(grantId) {
      for (const stream of streams) if (stream.grantId === grantId) stream.end();
    },
  };
}
