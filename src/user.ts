/** Composition root: opens one user's vault and stores for one request. */
import { emptyVocabulary } from "./search/vocabulary.ts";
import { UserError } from "./errors.ts";
import { logProblem, reportError } from "./log.ts";
import { findUserAndAccount, rewrapUsers, type UserRow } from "./storage/accounts.ts";
import { openAccount, type Lasting, type OpenAccount } from "./storage/open-account.ts";
import { deploymentRules, openRules } from "./storage/rules.ts";
import { openRotatingKeys, parseVaultKeys, WrongVaultKey, type Keys } from "./vault/keys.ts";

const nothingLasts = (): Lasting => ({
  oneAtATime: (work) => work(),
  vocabularyOf: emptyVocabulary,
  commonTerms: new Map(),
  keptTallies: { read: () => null, write: () => {} },
});

/**
 * Null: nobody of this id has signed up. Keys live as long as the result, which is never kept in a field.
 * @throws UserError unavailable
 */
export async function openUser(
  env: Env,
  userId: string,
  lasting = nothingLasts(),
): Promise<OpenAccount | null> {
  const found = await findUserAndAccount(env.DB, userId);
  if (found === null) return null;
  const keys = await openUserKeys(env, found.user);
  const rules = await openRules(keys, found.account, deploymentRules(env.MEMORY_RULES));
  return openAccount(env, found, { keys, ...lasting, ...rules });
}

/** Opens what is wrapped under the `VAULT_KEY` before, and wraps it under that of now: whoever is there has moved by that. */
async function openUserKeys(env: Env, user: UserRow): Promise<Keys> {
  try {
    const opened = await openRotatingKeys(parseVaultKeys(env.VAULT_KEY), user.id, user);
    if (opened.rewrapped !== null) {
      // The keys are open all the same where nothing can be written now: the next request or the sweep does it.
      await rewrapUsers(env.DB, [{ user, rewrapped: opened.rewrapped }]).catch((error: unknown) =>
        reportError("vault", error),
      );
    }
    return opened.keys;
  } catch (error) {
    if (!(error instanceof WrongVaultKey)) throw error;
    logProblem(
      "vault",
      `VAULT_KEY opens no key that is wrapped under ${user.wrappedUnder ?? "another one"}`,
    );
    throw new UserError(
      "unavailable",
      "This server has another VAULT_KEY than the one under which your account's key is wrapped, so it cannot open your account.",
      'Nothing is lost. Whoever runs the server puts the key back: README.md, "Changing VAULT_KEY".',
    );
  }
}
