/** How often random tests try: each time, and before a release (`npm run test:release`, which takes most of an hour). */
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    readonly isRelease: boolean;
  }
}

/** @returns how many cases a property is to hold for in this run */
export function runs(everyday: number, release: number): number {
  return inject("isRelease") ? release : everyday;
}
