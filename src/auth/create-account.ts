import { createUser } from "../storage/accounts.ts";
import { createMasterKey, parseVaultKeys, wrapMasterKey } from "../vault/keys.ts";

/** Gives a new user a vault of their own. Repeating it changes nothing. */
export async function createAccount(
  env: Env,
  userId: string,
  { timeZone, locale }: { readonly timeZone: string; readonly locale: string },
): Promise<void> {
  const { current } = parseVaultKeys(env.VAULT_KEY);
  const wrapped = await wrapMasterKey(current, userId, createMasterKey());
  await createUser(env.DB, {
    id: userId,
    timeZone: isTimeZone(timeZone) ? timeZone : "UTC",
    locale,
    createdAt: Date.now(),
    ...wrapped,
  });
}

export function isTimeZone(name: string): boolean {
  try {
    Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The first language of an Accept-Language header. */
export function localeOf(acceptLanguage: string): string {
  return /^[A-Za-z]{2,8}(?:-[A-Za-z\d]{1,8}){0,3}/.exec(acceptLanguage.trim())?.[0] ?? "en";
}
