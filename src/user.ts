/** Composition root: opens one user's vault and stores for one request. */
import { findUser } from "./storage/accounts.ts";
import { openAccount, type OneAtATime, type OpenAccount } from "./storage/open-account.ts";
import { openKeys, parseVaultKey } from "./vault/keys.ts";

/** Null: nobody of this id has signed up. Keys live as long as the result, which is never kept in a field. */
export async function openUser(
  env: Env,
  userId: string,
  oneAtATime: OneAtATime = (work) => work(),
): Promise<OpenAccount | null> {
  const user = await findUser(env.DB, userId);
  if (user === null) return null;
  const keys = await openKeys(parseVaultKey(env.VAULT_KEY), userId, user);
  return openAccount(env, user, keys, oneAtATime);
}
