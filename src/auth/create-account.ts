import { createUser } from "../storage/accounts.ts";
import { createMasterKey, parseVaultKey, wrapMasterKey } from "../vault/keys.ts";

/** Gives a new user a vault of their own. Repeating it changes nothing. */
export async function createAccount(
  env: Env,
  userId: string,
  { timeZone, locale }: { readonly timeZone: string; readonly locale: string },
): Promise<void> {
  const wrapped = await wrapMasterKey(parseVaultKey(env.VAULT_KEY), userId, createMasterKey());
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
