/** Opaque cursors: a place in a listing, authenticated for one user and one query, so that no cursor works elsewhere. */
import { UserError } from "../errors.ts";
import { cursorMac } from "./blind.ts";
import { equalInConstantTime, fromUtf8, utf8 } from "./bytes.ts";
import type { Keys } from "./keys.ts";

/** @param query everything that the listing depends on, in a fixed form */
export async function makeCursor(keys: Keys, query: string, place: unknown): Promise<string> {
  const payload = utf8(JSON.stringify(place)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
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
