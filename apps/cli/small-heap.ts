import { setFlagsFromString } from "node:v8";

/** For what reads large files: V8 would rather let the heap grow to 300 MB than collect what a reader throws away (bench/RESULTS.md, "Import"). */
export function keepHeapSmall(): void {
  setFlagsFromString("--optimize-for-size");
  // Megabytes.
  setFlagsFromString("--max-semi-space-size=1");
}
