/** Arbitrary: what a person reads of somebody else's words. */
const MAX_CHARS = 500;

/** A server's own words on a terminal: cut, in one line, and without what the terminal would obey. */
export function printable(text: string): string {
  return text.slice(0, MAX_CHARS).replaceAll(/\s+/gu, " ").replaceAll(/\p{C}/gu, "?");
}
