/**
 * The way back for who lost every passkey: a code of 28 letters, shown once and good for one sign-in. Twenty are random (100 bits), eight
 * are a MAC of those under `AUTH_SECRET`, so that a guess is refused before anything is read. Of it a hash is kept, in better-auth's table
 * of ways in, one a person.
 */
import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { authAccount } from "../storage/schema.ts";
import { equalInConstantTime } from "../vault/bytes.ts";
import { newId } from "../vault/ids.ts";
import { hashOf, letterMac, randomLetters } from "./letters.ts";

/** In the place of an identity provider. */
export const RECOVERY = "recovery";

const RANDOM = 20;
const MAC = 8;

/** In the place of an earlier one. @returns the code, to be shown once */
export async function makeRecoveryCode(env: Env, userId: string, now: Date): Promise<string> {
  const random = randomLetters(RANDOM);
  const code = random + (await macOf(env, random));
  const db = drizzle(env.DB);
  await db.batch([
    db.delete(authAccount).where(ofUser(userId)),
    db.insert(authAccount).values({
      id: newId(),
      accountId: await hashOf(code),
      providerId: RECOVERY,
      userId,
      createdAt: now,
      updatedAt: now,
    }),
  ]);
  return (code.match(/.{4}/g) ?? []).join("-");
}

/** Null: there is none. */
export async function recoveryCodeMadeAt(env: Env, userId: string): Promise<Date | null> {
  const [row] = await drizzle(env.DB).select().from(authAccount).where(ofUser(userId)).limit(1);
  return row?.createdAt ?? null;
}

/** @returns how many there were */
export async function removeRecoveryCode(env: Env, userId: string): Promise<number> {
  const removed = await drizzle(env.DB)
    .delete(authAccount)
    .where(ofUser(userId))
    .returning({ id: authAccount.id });
  return removed.length;
}

export interface RecoveryCode {
  readonly id: string;
  readonly userId: string;
}

/** Null: what somebody typed is no code, or one that was used. */
export async function findRecoveryCode(env: Env, typed: string): Promise<RecoveryCode | null> {
  // Neither digit stands in a code: whoever reads one has seen the letter.
  const letters = typed.toLowerCase().replaceAll("0", "o").replaceAll("1", "l");
  const code = letters.replaceAll(/[\s-]/g, "");
  if (!FORM.test(code)) return null;
  const random = code.slice(0, RANDOM);
  if (!equalInConstantTime(code.slice(RANDOM), await macOf(env, random))) return null;
  const [found] = await drizzle(env.DB)
    .select({ id: authAccount.id, userId: authAccount.userId })
    .from(authAccount)
    .where(and(eq(authAccount.providerId, RECOVERY), eq(authAccount.accountId, await hashOf(code))))
    .limit(1);
  return found ?? null;
}

/** False: another request has used it since. */
export async function useRecoveryCode(env: Env, { id }: RecoveryCode): Promise<boolean> {
  const used = await drizzle(env.DB)
    .delete(authAccount)
    .where(eq(authAccount.id, id))
    .returning({ id: authAccount.id });
  return used.length > 0;
}

const FORM = new RegExp(`^[a-z2-7]{${RANDOM + MAC}}$`);

async function macOf(env: Env, random: string): Promise<string> {
  return (await letterMac(env.AUTH_SECRET, `recovery/v1\0${random}`)).slice(0, MAC);
}

function ofUser(userId: string) {
  return and(eq(authAccount.userId, userId), eq(authAccount.providerId, RECOVERY));
}
