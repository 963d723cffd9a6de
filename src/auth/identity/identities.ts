/**
 * Who somebody is elsewhere, as a way in: an issuer and the subject that it knows them by, in better-auth's table. Never by e-mail, which
 * an issuer may give to another person. The row's key is made of both, so no two accounts can have the same one.
 */
import { and, eq, ne } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { authAccount } from "../../storage/schema.ts";
import { hashOf } from "../letters.ts";
import { RECOVERY } from "../recovery-code.ts";
import { SQL_ANOTHER_WAY_IN } from "../sign-up.ts";
import { issuersJson } from "./providers.ts";

export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

/** @returns the user whom it opens, or null */
export async function findIdentity(env: Env, identity: Identity): Promise<string | null> {
  const [found] = await drizzle(env.DB)
    .select({ userId: authAccount.userId })
    .from(authAccount)
    .where(eq(authAccount.id, await keyOf(identity)))
    .limit(1);
  return found?.userId ?? null;
}

/** ?1 key, ?2 user, ?3 issuer, ?4 subject, ?5 now. One of an issuer: two could not be told apart on the page. */
const SQL_ADD = `INSERT INTO auth_account (id, user_id, provider_id, account_id, created_at, updated_at)
  SELECT ?1, ?2, ?3, ?4, ?5, ?5 WHERE NOT EXISTS (SELECT 1 FROM auth_account WHERE user_id = ?2 AND provider_id = ?3)
  ON CONFLICT (id) DO NOTHING`;

/** False: it opens an account already, or another one of the issuer opens this account. Tokens of the issuer are not kept: nothing is asked of it later. */
export async function addIdentity(
  env: Env,
  userId: string,
  { issuer, subject }: Identity,
): Promise<boolean> {
  const { meta } = await env.DB.prepare(SQL_ADD)
    .bind(await keyOf({ issuer, subject }), userId, issuer, subject, Date.now())
    .run();
  return meta.changes > 0;
}

export async function listIdentities(env: Env, userId: string) {
  const rows = await drizzle(env.DB)
    .select({
      id: authAccount.id,
      issuer: authAccount.providerId,
      createdAt: authAccount.createdAt,
    })
    .from(authAccount)
    .where(and(eq(authAccount.userId, userId), ne(authAccount.providerId, RECOVERY)))
    .orderBy(authAccount.createdAt, authAccount.id)
    .limit(SHOWN);
  return rows;
}

/** Arbitrary: there are three providers, and those that were set up once. */
const SHOWN = 20;

/** ?1 user, ?2 identity, ?3 issuers as JSON. */
const SQL_REMOVE = `DELETE FROM auth_account WHERE user_id = ?1 AND id = ?2 AND provider_id <> '${RECOVERY}' AND ${SQL_ANOTHER_WAY_IN}`;

/** False: it is the last way in. */
export async function removeIdentity(env: Env, userId: string, id: string): Promise<boolean> {
  const { meta } = await env.DB.prepare(SQL_REMOVE).bind(userId, id, issuersJson(env)).run();
  return meta.changes > 0;
}

function keyOf({ issuer, subject }: Identity): Promise<string> {
  return hashOf(`identity/v1\0${issuer}\0${subject}`);
}
