/** Who may create an account, and creating it. */
import { equalInConstantTime } from "../vault/bytes.ts";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
/** A sign-up whose passkey never arrived is given up after this time: it must not lock the owner out. */
const ABANDONED_AFTER_MS = 600_000;

type SignUpSettings = Pick<Env, "PUBLIC_ORIGIN" | "SIGN_UP" | "SETUP_CODE">;

export function isLoopback(origin: string): boolean {
  return LOOPBACK.has(new URL(origin).hostname);
}

/** The first account of a public deployment belongs to whoever holds the code that the deployment printed. */
export function needsSetupCode(settings: SignUpSettings): boolean {
  return settings.SIGN_UP !== "open" && !isLoopback(settings.PUBLIC_ORIGIN);
}

export function isSetupCodeRight(settings: SignUpSettings, given: string | null): boolean {
  if (!needsSetupCode(settings)) return true;
  const code = settings.SETUP_CODE ?? "";
  return code !== "" && given !== null && equalInConstantTime(given.trim(), code);
}

/** Whether one more person may sign up. In `owner` mode only the first may. */
export async function isSignUpOpen(env: Env): Promise<boolean> {
  if (env.SIGN_UP === "open") return true;
  const owner = await env.DB.prepare(
    "SELECT 1 FROM auth_user WHERE created_at >= ?1 OR id IN (SELECT user_id FROM auth_passkey) LIMIT 1",
  )
    .bind(Date.now() - ABANDONED_AFTER_MS)
    .first();
  return owner === null;
}

const SQL_FORGET_ABANDONED =
  "DELETE FROM auth_user WHERE created_at < ?1 AND id NOT IN (SELECT user_id FROM auth_passkey)";
const SQL_INSERT =
  "INSERT INTO auth_user (id, name, email, email_verified, created_at, updated_at) SELECT ?1, ?2, ?3, 0, ?4, ?4";
const SQL_ONLY_FIRST = " WHERE NOT EXISTS (SELECT 1 FROM auth_user)";

/** False: in `owner` mode somebody was first, perhaps a moment ago. */
export async function addAuthUser(
  env: Env,
  user: { readonly id: string; readonly name: string },
  now: number,
): Promise<boolean> {
  const [, inserted] = await env.DB.batch([
    env.DB.prepare(SQL_FORGET_ABANDONED).bind(now - ABANDONED_AFTER_MS),
    env.DB.prepare(env.SIGN_UP === "open" ? SQL_INSERT : SQL_INSERT + SQL_ONLY_FIRST).bind(
      user.id,
      user.name,
      // better-auth wants an address, unique; `.invalid` can never receive mail (RFC 2606).
      `${user.id}@users.invalid`,
      now,
    ),
  ]);
  return (inserted?.meta.changes ?? 0) > 0;
}
