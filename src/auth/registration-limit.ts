/**
 * How many clients strangers may register in a day, all together. Each is a value in KV, of which the free plan writes 1,000 a day: those
 * whom a person let in need them too, for tokens that are refreshed.
 */
import { retryAfter, UserError } from "../errors.ts";
import { reportError } from "../log.ts";
import { dayOf, nextDay, readPlan } from "../storage/plan.ts";
import { isStranger } from "./address-limit.ts";

const SQL_COUNT = `INSERT INTO registration_days (day, clients) VALUES (?1, 1)
  ON CONFLICT (day) DO UPDATE SET clients = clients + 1 WHERE clients < ?2 RETURNING clients`;

const SQL_FORGET = "DELETE FROM registration_days WHERE day < ?1";

/** Null: it may go on. */
export async function registrationRefusal(
  request: Request,
  env: Env,
  now: number,
): Promise<UserError | null> {
  const isRegistration =
    request.method === "POST" && new URL(request.url).pathname === "/oauth/register";
  const most = readPlan(env.PLAN).registrationsADay;
  if (!isRegistration || most === null || !isStranger(request)) return null;
  try {
    const counted = await env.DB.prepare(SQL_COUNT).bind(dayOf(now), most).first();
    return counted === null ? usedUp(now) : null;
  } catch (error) {
    // It is a precaution: where nothing can be counted, nobody is kept out.
    reportError("registrationRefusal", error);
    return null;
  }
}

/** Of days that are over. */
export function forgetRegistrations(d1: D1Database, now: number): D1PreparedStatement {
  return d1.prepare(SQL_FORGET).bind(dayOf(now));
}

function usedUp(now: number): UserError {
  return new UserError(
    "rate_limited",
    "More apps registered with this server today than Cloudflare's free plan has room for.",
    "Try again after midnight UTC, or connect with a personal access token. Apps that are connected go on.",
    retryAfter(nextDay(now) - now),
  );
}
