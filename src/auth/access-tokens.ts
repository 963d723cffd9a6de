/**
 * Personal access tokens: `cofio_<userId>_<secret>`. The secret is 26 random base32 characters (130 bits) and a MAC of
 * user and randomness under the deployment's `AUTH_SECRET`, checked before any object is woken: a guessed token costs nothing.
 */
import { equalInConstantTime } from "../vault/bytes.ts";
import { isUserId } from "../vault/ids.ts";
import { hashOf, letterMac, randomLetters } from "./letters.ts";

const FORM = /^cofio_([a-z2-7]{16})_([a-z2-7]{26})([a-z2-7]{16})$/;

export interface ParsedToken {
  readonly userId: string;
  /** What the allow list keeps instead of the secret. */
  readonly secretHash: string;
}

/** @returns the token, to be shown once, and the hash to keep */
export async function makeToken(
  authSecret: string,
  userId: string,
): Promise<{ token: string; secretHash: string }> {
  if (!isUserId(userId)) throw new Error("Not a user id");
  const random = randomLetters(26);
  const secret = random + (await macOf(authSecret, userId, random));
  return { token: `cofio_${userId}_${secret}`, secretHash: await hashOf(secret) };
}

/** Null: not a token that this deployment made. */
export async function parseToken(authSecret: string, token: string): Promise<ParsedToken | null> {
  const [, userId, random, mac] = FORM.exec(token) ?? [];
  if (userId === undefined || random === undefined || mac === undefined) return null;
  if (!equalInConstantTime(mac, await macOf(authSecret, userId, random))) return null;
  return { userId, secretHash: await hashOf(random + mac) };
}

function macOf(authSecret: string, userId: string, random: string): Promise<string> {
  return letterMac(authSecret, `token/v1\0${userId}|${random}`);
}
