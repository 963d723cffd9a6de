import { logProblem } from "../log.ts";
import { parseVaultKeys } from "../vault/keys.ts";
import { providerProblems } from "./identity/providers.ts";
import { needsSetupCode } from "./sign-up.ts";

let checked = false;

/** Refuses to serve with a missing or malformed secret, and says once what else is set up wrong. @throws Error that says which one and how to make it */
export function checkSecrets(env: Env): void {
  if (checked) return;
  parseVaultKeys(env.VAULT_KEY);
  if ((env.AUTH_SECRET ?? "").length < 32) {
    throw new Error("AUTH_SECRET is missing or too short. Make one with: openssl rand -base64 32");
  }
  // Arbitrary: `npm run deploy` makes a longer one. A short code could be guessed before the owner signs up.
  if (needsSetupCode(env) && (env.SETUP_CODE ?? "").length < 16) {
    throw new Error("SETUP_CODE is missing or too short. Make one with: openssl rand -hex 10");
  }
  for (const problem of providerProblems(env)) logProblem("identity providers", problem);
  checked = true;
}
