/** Who may create an account, and creating it. */
import { equalInConstantTime } from "../vault/bytes.ts";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
/** A sign-up whose passkey or identity never arrived is given up after this time: it must not lock the owner out. */
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

/** Whoever ever came in: by a passkey or an identity, or makes a recovery code of a session that one of them began. */
const SQL_CAME_IN = "SELECT user_id FROM auth_passkey UNION ALL SELECT user_id FROM auth_account";

/** Whether one more person may sign up. In `owner` mode only the first may. */
export async function isSignUpOpen(env: Env): Promise<boolean> {
  if (env.SIGN_UP === "open") return true;
  const owner = await env.DB.prepare(
    `SELECT 1 FROM auth_user WHERE created_at >= ?1 OR id IN (${SQL_CAME_IN}) LIMIT 1`,
  )
    .bind(Date.now() - ABANDONED_AFTER_MS)
    .first();
  return owner === null;
}

const SQL_ABANDONED = `SELECT id FROM auth_user WHERE created_at < ?1 AND id NOT IN (${SQL_CAME_IN})`;
/** Their keys go first: afterwards nothing tells whose they were. */
const SQL_FORGET_ABANDONED = ["users", "auth_user"].map(
  (table) => `DELETE FROM ${table} WHERE id IN (${SQL_ABANDONED})`,
);
const SQL_INSERT =
  "INSERT INTO auth_user (id, name, email, email_verified, created_at, updated_at) SELECT ?1, ?2, ?3, 0, ?4, ?4";
const SQL_ONLY_FIRST = " WHERE NOT EXISTS (SELECT 1 FROM auth_user)";

/** Accounts that nobody ever came into, nor will. For a batch. @param now milliseconds UTC */
export function forgetAbandoned(d1: D1Database, now: number): D1PreparedStatement[] {
  return SQL_FORGET_ABANDONED.map((sql) => d1.prepare(sql).bind(now - ABANDONED_AFTER_MS));
}

/** False: in `owner` mode somebody was first, perhaps a moment ago. */
export async function addAuthUser(
  env: Env,
  user: { readonly id: string; readonly name: string },
  now: number,
): Promise<boolean> {
  const results = await env.DB.batch([
    ...forgetAbandoned(env.DB, now),
    env.DB.prepare(env.SIGN_UP === "open" ? SQL_INSERT : SQL_INSERT + SQL_ONLY_FIRST).bind(
      user.id,
      user.name,
      // better-auth wants an address, unique; `.invalid` can never receive mail (RFC 2606).
      `${user.id}@users.invalid`,
      now,
    ),
  ]);
  return (results.at(-1)?.meta.changes ?? 0) > 0;
}

/**
 * Of a removal, whether the account can be opened without what goes: ?1 user, ?2 passkey or identity, ?3 the issuers that people sign in
 * by here, as JSON. In the removing statement, so that of two removals at once one leaves a way in. A recovery code is none: it can be lost unseen.
 */
export const SQL_ANOTHER_WAY_IN = `(
  EXISTS (SELECT 1 FROM auth_passkey o WHERE o.user_id = ?1 AND o.id <> ?2)
  OR EXISTS (SELECT 1 FROM auth_account o WHERE o.user_id = ?1 AND o.id <> ?2 AND o.provider_id IN (SELECT value FROM json_each(?3))))`;
