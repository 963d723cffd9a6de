import type { Entry } from "../storage/integrity-entries.ts";

/** Whether an entry of the full-text index is its row's: as many tokens in each column, a sample of them those of the row. */
export function isEntryOf({ sizes, wantedSizes, holds }: Entry): boolean {
  // True because `json_array` made it of three counts.
  const wanted = JSON.parse(wantedSizes) as number[];
  return sizes !== null && holds === 1 && sizesOf(sizes).join() === wanted.join();
}

/** FTS5 keeps a row's sizes as SQLite's varints: seven bits a byte, the highest first. */
function sizesOf(hex: string): number[] {
  const sizes: number[] = [];
  let size = 0;
  for (const byte of Uint8Array.fromHex(hex)) {
    size = size * 128 + (byte & 127);
    if (byte < 128) {
      sizes.push(size);
      size = 0;
    }
  }
  return sizes;
}
