import { base32 } from "./bytes.ts";

/** 60 random bits: ids are unique per user and cost the model few tokens. Random, so a range of them is a sample. */
export function newId(): string {
  return base32(crypto.getRandomValues(new Uint8Array(8))).slice(0, 12);
}

/** Of the shape that `newId` gives. */
export function isId(text: string | null | undefined): text is string {
  return text != null && /^[a-z2-7]{12}$/.test(text);
}

/** 80 random bits, unique across users. No `:`, which the OAuth library uses inside tokens. */
export function newUserId(): string {
  return base32(crypto.getRandomValues(new Uint8Array(10)));
}

/** 130 random bits, for what may be asked for by whoever knows the id and holds a session. */
export function newJobId(): string {
  return base32(crypto.getRandomValues(new Uint8Array(17))).slice(0, 26);
}

/**
 * Operation ids sort by time: 9 characters of milliseconds since 1970 (45 bits, until the year 3084), 7 random ones.
 * @param now milliseconds UTC
 */
export function newOperationId(now: number): string {
  return operationIdsFrom(now) + base32(crypto.getRandomValues(new Uint8Array(5))).slice(0, 7);
}

/** Stands before the ids of operations from this time on, and behind all earlier ones. */
export function operationIdsFrom(now: number): string {
  const time = new Uint8Array(6);
  // 45 bits left-aligned in 48: base32 then takes nine whole characters.
  let rest = now * 8;
  for (let index = 5; index >= 0; index--) {
    time[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return base32(time)
    .slice(0, 9)
    .replace(/[2-7a-z]/g, sortableDigit);
}

export function isUserId(text: string): boolean {
  return /^[a-z2-7]{16}$/.test(text);
}

/** Base32 letters stand before its digits, ASCII has it the other way round: this keeps the order of the numbers. */
function sortableDigit(digit: string): string {
  const value = "abcdefghijklmnopqrstuvwxyz234567".indexOf(digit);
  return "234567abcdefghijklmnopqrstuvwxyz".charAt(value);
}
