/** Composition root: opens one user's vault and stores for one request. */
import { emptyVocabulary } from "./search/vocabulary.ts";
import { findUserAndAccount } from "./storage/accounts.ts";
import { openAccount, type OpenAccount } from "./storage/open-account.ts";
import { deploymentRules, openRules } from "./storage/rules.ts";
import { openKeys, parseVaultKey } from "./vault/keys.ts";

/** What lasts longer than a request, in the user's object; elsewhere nothing does. */
type Lasting = Pick<OpenAccount, "oneAtATime" | "vocabularyOf">;
const NOTHING_LASTS: Lasting = { oneAtATime: (work) => work(), vocabularyOf: emptyVocabulary };

/** Null: nobody of this id has signed up. Keys live as long as the result, which is never kept in a field. */
export async function openUser(
  env: Env,
  userId: string,
  lasting: Lasting = NOTHING_LASTS,
): Promise<OpenAccount | null> {
  const found = await findUserAndAccount(env.DB, userId);
  if (found === null) return null;
  const keys = await openKeys(parseVaultKey(env.VAULT_KEY), userId, found.user);
  const rules = await openRules(keys, found.account, deploymentRules(env.MEMORY_RULES));
  return openAccount(env, found, { keys, ...lasting, ...rules });
}
