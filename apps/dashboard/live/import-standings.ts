import type { LiveImport } from "../../../src/transfer/import-answer.ts";

/** As the server tells them, by job. */
export type LiveImports = Readonly<Record<string, LiveImport>>;

/** Another text when one begins, ends or waits; the same while one goes on, batch by batch. */
export function importStandings(imports: LiveImports): string {
  return Object.entries(imports)
    .map(([id, { state }]) => `${id} ${state}`)
    .sort()
    .join();
}
