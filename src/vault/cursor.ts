/** Opaque cursors: a place in a listing, authenticated for one user and one query, so that no cursor works elsewhere. */
import { UserError } from "../errors.ts";
import { cursorMac } from "./blind.ts";
import { base64Url, equalInConstantTime, fromUtf8, utf8 } from "./bytes.ts";
import type { Keys } from "./keys.ts";

/** @param query everything that the listing depends on, in a fixed form */
export async function makeCursor(keys: Keys, query: string, place: unknown): Promise<string> {
  const payload = base64Url(utf8(JSON.stringify(place)));
  return `${payload}.${await cursorMac(keys, `${payload}\0${query}`)}`;
}

/**
 * The place that `makeCursor` was given.
 * @throws UserError invalid_input when it was made for another query or user, or is no cursor.
 */
export async function readCursor<T>(keys: Keys, query: string, cursor: string): Promise<T> {
  const dot = cursor.lastIndexOf(".");
  const [payload, mac] = [cursor.slice(0, dot), cursor.slice(dot + 1)];
  if (!equalInConstantTime(mac, await cursorMac(keys, `${payload}\0${query}`))) {
    throw new UserError(
      "invalid_input",
      "The cursor does not belong to this request.",
      "Send next_cursor with the same other arguments as before, or leave `cursor` out to start again.",
    );
  }
  // True because the MAC shows that `makeCursor` made it for this very query.
  return JSON.parse(fromUtf8(Uint8Array.fromBase64(payload, { alphabet: "base64url" }))) as T;
}

/** What requests for a page have in common. */
export interface PagedRequest {
  readonly limit: number;
  readonly maxTokens: number;
  readonly cursor?: string | undefined;
  /** Milliseconds UTC. */
  readonly after?: number | undefined;
  readonly before?: number | undefined;
  /** The words that gave the dates: "2 hours ago" names another moment on every call, and is the same request all the same. */
  readonly datesAsSent?: string | undefined;
}

export interface Listing<Place> {
  /** Null: from the beginning. */
  readonly place: Place | null;
  /** Those of the first page, whatever the words mean by now. */
  readonly dates: { readonly after?: number; readonly before?: number };
  cursorAt(place: Place): Promise<string>;
}

/**
 * Opens a listing at the request's cursor. The cursor belongs to everything that the request says, page size and budget excepted.
 * @throws UserError invalid_input
 */
export async function openListing<Place>(
  keys: Keys,
  name: string,
  request: PagedRequest,
): Promise<Listing<Place>> {
  const { cursor, limit: _limit, maxTokens: _maxTokens, after, before, ...asked } = request;
  const isWorded = request.datesAsSent !== undefined;
  const query = JSON.stringify([name, asked, isWorded ? null : [after, before]]);
  const { place, dates } =
    cursor === undefined
      ? { place: null, dates: definedDates(after, before) }
      : await readCursor<{ place: Place; dates: Listing<Place>["dates"] }>(keys, query, cursor);
  return { place, dates, cursorAt: (at) => makeCursor(keys, query, { place: at, dates }) };
}

function definedDates(after: number | undefined, before: number | undefined) {
  return {
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
  };
}
