/** What has access to a person's memory, and ending it. */
import type { OAuthHelpers } from "@cloudflare/workers-oauth-provider";
import type { GrantLine } from "../grants.ts";
import type { Scope } from "../scopes.ts";
import { newId } from "../vault/ids.ts";
import { makeToken } from "./access-tokens.ts";

/** Few: each grant of a page is a KV read, and a request on the free plan has 50. */
const GRANTS_PER_PAGE = 20;

/** Apps and tokens, newest first. */
export function listGrants(env: Env, userId: string): Promise<GrantLine[]> {
  return env.USERS.getByName(userId).listGrants();
}

/** @returns the token, to be shown once */
export async function addToken(
  env: Env,
  userId: string,
  {
    name,
    scopes,
    trusted,
  }: { readonly name: string; readonly scopes: readonly Scope[]; readonly trusted: boolean },
): Promise<{ readonly id: string; readonly token: string }> {
  const id = newId();
  const { token, secretHash } = await makeToken(env.AUTH_SECRET, userId);
  await env.USERS.getByName(userId).allowToken({
    id,
    client: name,
    secretHash,
    scopes,
    trusted,
  });
  return { id, token };
}

/**
 * Ends a grant or a token. The user's object first: from then on every call is refused. Then the OAuth library's grant, or
 * the client would refresh with success, meet the refusal again and never ask to sign in.
 * @returns false: there was none of this id
 */
export async function revokeGrant(
  env: Env,
  oauth: OAuthHelpers,
  userId: string,
  grantId: string,
): Promise<boolean> {
  const existed = await env.USERS.getByName(userId).revokeGrant(grantId);
  let cursor: string | undefined;
  do {
    const page = await oauth.listUserGrants(userId, {
      limit: GRANTS_PER_PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const grant of page.items) {
      if (grantIdOf(grant.metadata) === grantId) await oauth.revokeGrant(grant.id, userId);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return existed;
}

function grantIdOf(metadata: unknown): unknown {
  return typeof metadata === "object" && metadata !== null && "grantId" in metadata
    ? metadata.grantId
    : undefined;
}
