/** No job ends by itself: one that nothing came of for so long was given up. As archives' restores are (`archive-restore.ts`). */
const GIVEN_UP_SECONDS = 7 * 86_400;
/** One that was sent whole ends with its request; where that could not even be said, for want of statements, it is over. Arbitrary. */
const WHOLE_SECONDS = 3_600;

/** Condition on a row of `jobs`: an import that has more to bring. */
export function isUnderWay(job: string): string {
  return `${job}.kind = 'import' AND ${job}.state IN ('created', 'running', 'waiting_quota')
    AND ${job}.updated_at > (unixepoch() - iif(${job}.expires_at IS NULL, ${GIVEN_UP_SECONDS}, ${WHOLE_SECONDS})) * 1000`;
}

/** Whether one of the user's is. @param userId SQL */
export function isImporting(userId: string): string {
  return `EXISTS (SELECT 1 FROM jobs i WHERE i.user_id = ${userId} AND ${isUnderWay("i")})`;
}
