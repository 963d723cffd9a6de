/** With what somebody who is signed in can sign in once more, here and now. */
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { authPasskey } from "../storage/schema.ts";
import { listIdentities } from "./identity/identities.ts";
import { type IdentityProvider, identityProviders } from "./identity/providers.ts";

export interface WaysToConfirm {
  /** Whether one is listed: nobody knows whether it is lost. */
  readonly hasPasskey: boolean;
  /** That the person has added, and that this server still has settings for. */
  readonly providers: readonly IdentityProvider[];
}

export async function waysToConfirm(env: Env, userId: string): Promise<WaysToConfirm> {
  const [own, [passkey]] = await Promise.all([
    listIdentities(env, userId),
    drizzle(env.DB)
      .select({ id: authPasskey.id })
      .from(authPasskey)
      .where(eq(authPasskey.userId, userId))
      .limit(1),
  ]);
  const providers = identityProviders(env).filter(({ issuer }) =>
    own.some((identity) => identity.issuer === issuer),
  );
  return { hasPasskey: passkey !== undefined, providers };
}

/** Who has no way can only make one. */
export function isWithoutWays({ hasPasskey, providers }: WaysToConfirm): boolean {
  return !hasPasskey && providers.length === 0;
}
