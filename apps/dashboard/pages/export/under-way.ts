/** Between two looks at what is being written: a Workflow tells nobody when it ends. */
export const POLL_MS = 2_000;

/** Of an export, a backup or a restore: it has not come to its end. */
export function isUnderWay(state: string): boolean {
  return state === "created" || state === "running" || state === "waiting_quota";
}
