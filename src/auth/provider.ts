/** The OAuth authorization server, and the guard of `/mcp`. */
import {
  GrantType,
  OAuthProvider,
  type OAuthResourceContext,
} from "@cloudflare/workers-oauth-provider";
import { env, WorkerEntrypoint } from "cloudflare:workers";
import * as z from "zod";
import type { GrantClaim } from "../grants.ts";
import { logRefusal, reportError } from "../log.ts";
import { OFFLINE_ACCESS, SCOPES } from "../scopes.ts";
import { parseToken } from "./access-tokens.ts";
import { app } from "./app.tsx";
import { tellPerson } from "./handshake-watch.ts";
import { guardOutboundFetch } from "./outbound-fetch.ts";

/** What consent or a token's check put aside for the guarded route. No key, no secret. */
export type Props =
  | { readonly userId: string; readonly grantId: string; readonly clientName: string }
  | { readonly userId: string; readonly secretHash: string };

const consentProps = z.object({ userId: z.string(), grantId: z.string(), clientName: z.string() });
const propsSchema: z.ZodType<Props> = z.union([
  consentProps,
  z.object({ userId: z.string(), secretHash: z.string() }),
]);

const DAY_SECONDS = 86_400;
/** The one canonical resource. Clients that demand equality with the address they were given refuse the bare origin. */
export const RESOURCE = `${env.PUBLIC_ORIGIN}/mcp`;

/** Arbitrary: many times what any known client registers; each registration is a KV value that nobody paid for. */
const MAX_REGISTRATION_CHARS = 32_768;

/** JSON-RPC 2.0 §5.1. */
const INTERNAL_ERROR = -32603;

class McpRoute extends WorkerEntrypoint<Env, Props> {
  declare readonly ctx: OAuthResourceContext<Props>;

  override async fetch(request: Request): Promise<Response> {
    const props = propsSchema.parse(this.ctx.props);
    const object = this.env.USERS.getByName(props.userId);
    const claim: GrantClaim =
      "secretHash" in props
        ? { kind: "token", secretHash: props.secretHash }
        : { kind: "oauth", grantId: props.grantId, scopes: this.ctx.auth.scope };
    try {
      return await object.serveMcp(request, claim);
    } catch (error) {
      // What fails before a tool runs, the database for example, would reach the client as the runtime's own page.
      const message = `${reportError("mcp", error)} Try again.`;
      const answer = { jsonrpc: "2.0", id: null, error: { code: INTERNAL_ERROR, message } };
      return Response.json(answer, { status: 500 });
    }
  }
}

guardOutboundFetch();

export const provider = new OAuthProvider<Env>({
  apiRoute: "/mcp",
  apiHandler: McpRoute,
  defaultHandler: {
    // The library has added its helpers to the environment by then: `bindings.ts` says so to the pages.
    fetch: (request, bindings, ctx) => app.fetch(request, bindings, ctx),
  },
  authorizeEndpoint: "/authorize",
  tokenEndpoint: "/oauth/token",
  clientRegistrationEndpoint: "/oauth/register",
  clientIdMetadataDocumentEnabled: true,
  scopesSupported: [...SCOPES, OFFLINE_ACCESS],
  // Days, because clients that have to sign in daily are the commonest complaint; every call checks the allow list anyway.
  accessTokenTTL: 3 * DAY_SECONDS,
  refreshTokenTTL: 30 * DAY_SECONDS,
  refreshTokenIdleTTL: 30 * DAY_SECONDS,
  resourceMetadata: { resource: RESOURCE },
  clientRegistrationCallback: ({ clientMetadata }) =>
    JSON.stringify(clientMetadata).length > MAX_REGISTRATION_CHARS
      ? { description: "The client's metadata is too long" }
      : undefined,
  tokenExchangeCallback: async ({ grantType, props }) => {
    if (grantType !== GrantType.AUTHORIZATION_CODE) return;
    const { userId, clientName } = consentProps.parse(props);
    await tellPerson(env, userId, { step: "token_issued", client: clientName });
  },
  onError: ({ code, status, headers, internal }) => {
    logRefusal(internal.category, internal.reason);
    if (code !== "invalid_token" || status !== 401) return;
    return Response.json(
      {
        error: code,
        error_description: `This access token is wrong, expired or revoked, or belongs to another server. Connect to ${RESOURCE} again, or make a token at ${env.PUBLIC_ORIGIN}/`,
      },
      { status, headers },
    );
  },
  resolveExternalToken: async ({ token }) => {
    const parsed = await parseToken(env.AUTH_SECRET, token);
    return parsed === null ? null : { audience: RESOURCE, props: parsed satisfies Props };
  },
});
