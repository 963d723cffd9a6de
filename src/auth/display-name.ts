/** Arbitrary: longer than any real client's name, short enough for one line of a phone. */
const MAX_CHARS = 60;
/** Arbitrary: what is looked at of a name at all; clients may register a megabyte. */
const MAX_INPUT = 2_000;

/**
 * A name that a stranger chose, as one short line of text that cannot reorder, hide or overrun what stands beside it.
 * It is still to be escaped wherever it becomes HTML.
 */
export function displayName(text: string, fallback: string): string {
  const line = text
    .slice(0, MAX_INPUT)
    .toWellFormed()
    // Bidirectional marks, zero-width characters, tags, variation selectors, blank fillers.
    .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "")
    .replace(/[\p{Cc}\p{Co}\p{Cn}\p{Z}\s]+/gu, " ")
    // Stacked marks would cover the lines above and below.
    .replace(/(\p{M}{2})\p{M}+/gu, "$1")
    .trim();
  const characters = [...line];
  if (characters.length === 0) return fallback;
  return characters.length <= MAX_CHARS
    ? line
    : `${characters.slice(0, MAX_CHARS).join("").trim()}…`;
}
