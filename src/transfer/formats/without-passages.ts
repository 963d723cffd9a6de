export interface WithoutPassages {
  readonly text: string;
  /** What `opening` matched, once per passage taken out. */
  readonly openings: readonly string[];
}

/**
 * Takes out what a platform's markup put into a text: from each opening to the next closing tag, nothing nested. An opening that nothing
 * closes stays, with all that follows. One pass over the text, where a regular expression over both tags would take quadratic time on
 * openings without end.
 * `opening`: with the flag `g`, and itself linear.
 */
export function withoutPassages(text: string, opening: RegExp, closing: string): WithoutPassages {
  const openings: string[] = [];
  let kept = "";
  let from = 0;
  for (const match of text.matchAll(opening)) {
    if (match.index < from) continue;
    const end = text.indexOf(closing, match.index);
    if (end === -1) break;
    openings.push(match[0]);
    kept += text.slice(from, match.index);
    from = end + closing.length;
  }
  return { text: kept + text.slice(from), openings };
}
