/** What has access to a person's memory, and ending it. */
import type { OAuthHelpers } from "@cloudflare/workers-oauth-provider";
import type { GrantLine } from "../grants.ts";
import type { Scope } from "../scopes.ts";
import { newId } from "../vault/ids.ts";
import { makeToken } from "./access-tokens.ts";

/** Keys of a page, which are read as one operation, of which a request on the free plan has 50 (developers.cloudflare.com/kv/api/read-key-value-pairs). */
const GRANTS_PER_PAGE = 100;

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
  const id = await findOAuthGrant(env.OAUTH_KV, userId, grantId);
  if (id !== null) await oauth.revokeGrant(id, userId);
  return existed;
}

/** The library's id of a grant. It reads one grant at a time itself. Null: the library has none, as of a token. */
async function findOAuthGrant(
  kv: KVNamespace,
  userId: string,
  grantId: string,
): Promise<string | null> {
  const prefix = `grant:${userId}:`;
  for (let cursor: string | null = null; ;) {
    const page: KVNamespaceListResult<unknown> = await kv.list({
      prefix,
      limit: GRANTS_PER_PAGE,
      cursor,
    });
    const names = page.keys.map(({ name }) => name);
    const grants =
      names.length === 0 ? [] : await kv.get<{ readonly metadata?: unknown }>(names, "json");
    for (const [name, grant] of grants) {
      if (grant !== null && grantIdOf(grant.metadata) === grantId) return name.slice(prefix.length);
    }
    if (page.list_complete) return null;
    ({ cursor } = page);
  }
}

function grantIdOf(metadata: unknown): unknown {
  return typeof metadata === "object" && metadata !== null && "grantId" in metadata
    ? metadata.grantId
    : undefined;
}
