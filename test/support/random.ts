/** Chance that can be had again: by its seed. */

/** A whole number from 0, below the given one. */
export type Random = (below: number) => number;

/** Mulberry32. */
export function seededRandom(seed: number): Random {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export function pick<T>(all: readonly T[], random: Random): T {
  const found = all[random(all.length)];
  if (found === undefined) throw new Error("Nothing to pick from");
  return found;
}
