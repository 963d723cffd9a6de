/** Text and times as every reader hands them on. */

/**
 * Well-formed text without NUL; "" where the value is no string.
 * A lone surrogate parses but becomes U+FFFD when encoded, so a hash taken before storing would differ from one taken after;
 * SQLite's `length()` stops at NUL.
 */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value.toWellFormed().replaceAll("\0", "") : "";
}

/** As `textOf`, without white space around it. */
export function trimmedTextOf(value: unknown): string {
  return textOf(value).trim();
}

/** Of a skipped item's example, in characters: the report's contract. */
const EXCERPT_CHARS = 120;

/** The beginning of a text on one line, enough to recognise the item by. */
export function excerptOf(text: string): string {
  const line = textOf(text.slice(0, 2 * EXCERPT_CHARS))
    .replaceAll(/\s+/g, " ")
    .trim();
  return line.slice(0, EXCERPT_CHARS).replace(/[\uD800-\uDBFF]$/, "");
}

/** Milliseconds from seconds; null for what is no time: absent, 0, negative, or beyond the year 2100. */
export function timeFromSeconds(value: unknown): number | null {
  return typeof value === "number" ? plausible(Math.round(value * 1000)) : null;
}

const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;
const HAS_ZONE = /(?:Z|[+-]\d{2}:?\d{2})$/i;

/** Milliseconds from ISO 8601; a time without zone is UTC wherever this runs. Null for what is no time. */
export function timeFromIso(value: unknown): number | null {
  if (typeof value !== "string" || !ISO_TIME.test(value)) return null;
  return plausible(Date.parse(HAS_ZONE.test(value) ? value : `${value}Z`));
}

const YEAR_2100 = Date.UTC(2100);

export function plausible(time: number): number | null {
  return time > 0 && time < YEAR_2100 ? time : null;
}
