/** What ways in that were never gone to their end leave behind, and counts of days that are over. */
import { runBatch } from "../storage/batch.ts";
import { forgetRegistrations } from "./registration-limit.ts";
import { forgetAbandoned } from "./sign-up.ts";

/** Of ceremonies that are over, whoever began them: the library forgets those alone that it asks for again. */
const SQL_FORGET_CHALLENGES = "DELETE FROM auth_verification WHERE expires_at < ?1";

/** @param now milliseconds UTC */
export async function sweepSignIns(d1: D1Database, now: number): Promise<void> {
  await runBatch(d1, [
    ...forgetAbandoned(d1, now),
    forgetRegistrations(d1, now),
    d1.prepare(SQL_FORGET_CHALLENGES).bind(now),
  ]);
}
