/** Numbers as the person reads them: in the language of their browser. */

const numbers = new Intl.NumberFormat();
const scaleFormat = new Intl.NumberFormat(undefined, { notation: "compact" });

export function inFigures(count: number): string {
  return numbers.format(count);
}

/** `12K`: where there is little room. */
export function scaleFigures(count: number): string {
  return scaleFormat.format(count);
}

/** `3 memories`, `1 memory`. @param other where an `s` does not make it */
export function counted(count: number, one: string, other = `${one}s`): string {
  return `${inFigures(count)} ${count === 1 ? one : other}`;
}
