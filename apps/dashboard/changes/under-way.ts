/** What a Workflow does for the person: it tells nobody when it ends, so a page looks. */

const FIRST_MS = 2_000;
const LAST_MS = 30_000;

/** Of an export, a backup or a restore: it has not come to its end. */
export function isUnderWay(state: string): boolean {
  return state === "created" || state === "running" || state === "waiting_quota";
}

/**
 * When to look again: the longer something has been going on, the later.
 * @param begunAt of those that are under way, as the API writes times @returns milliseconds; false: not at all
 */
export function nextLook(begunAt: readonly (string | null | undefined)[]): number | false {
  if (begunAt.length === 0) return false;
  const latest = Math.max(...begunAt.map((time) => Date.parse(time ?? "") || 0));
  return Math.min(LAST_MS, Math.max(FIRST_MS, (Date.now() - latest) / 10));
}
