import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** When a file changed last; of a folder, the newest file or folder in it. 0: it is not there. */
export function changedAt(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => changedAt(join(path, name))));
}
