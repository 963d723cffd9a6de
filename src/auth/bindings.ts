import type { OAuthHelpers } from "@cloudflare/workers-oauth-provider";
import type { Context } from "hono";

/** What the pages run with: the OAuth library adds its helpers to the environment before it calls them. */
export interface PageEnv {
  Bindings: Env & { readonly OAUTH_PROVIDER: OAuthHelpers };
}

export type PageContext = Context<PageEnv>;
