/** Pages of what is read whole, in the order of a key. */
import type { Keys } from "../vault/keys.ts";
import { makeCursor, readCursor } from "../vault/cursor.ts";

export interface PageAsked {
  /** What is listed: a cursor of another listing is none of this one. */
  readonly query: string;
  readonly limit: number;
  readonly page?: string | undefined;
}

/** One page of what is listed whole. An item that went away meanwhile ends nothing: what lies beyond its place follows. */
export async function pageOf<Item, Place>(
  keys: Keys,
  items: readonly Item[],
  { query, limit, page }: PageAsked,
  order: {
    readonly placeOf: (item: Item) => Place;
    readonly isBeyond: (item: Item, place: Place) => boolean;
  },
): Promise<{ items: readonly Item[]; next: string | null }> {
  const after = page === undefined ? null : await readCursor<Place>(keys, query, page);
  const left = after === null ? items : items.filter((item) => order.isBeyond(item, after));
  const shown = left.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = left.length > shown.length;
  return {
    items: shown,
    next: hasMore && last !== undefined ? await makeCursor(keys, query, order.placeOf(last)) : null,
  };
}
