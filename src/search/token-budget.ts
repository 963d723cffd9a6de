/**
 * Tokens of a model, estimated without its tokenizer: about four letters of a Latin script make one, other scripts about
 * one a character (measured with o200k_base; a page is cut a little early rather than late).
 */
export function estimateTokens(text: string): number {
  let wide = 0;
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x24f) wide++;
  }
  return Math.ceil((text.length - wide) / 3.6 + wide * 0.9);
}

/**
 * The first items that fit; always at least one, so that a reader never stands still.
 * @param costOf tokens of one item
 */
export function takeWithinBudget<T>(
  items: readonly T[],
  maxTokens: number,
  costOf: (item: T) => number,
): T[] {
  const taken: T[] = [];
  let spent = 0;
  for (const item of items) {
    spent += costOf(item);
    if (taken.length > 0 && spent > maxTokens) break;
    taken.push(item);
  }
  return taken;
}
