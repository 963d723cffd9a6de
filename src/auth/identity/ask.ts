/**
 * Asking a provider who somebody is: OAuth 2.0 with PKCE (RFC 7636), and OpenID Connect where there is that. Loaded when somebody takes
 * this way in. Each answer is checked for what the one before it promised: state (`trip.ts`), issuer (RFC 9207), signature, audience, nonce.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from "jose";
import * as z from "zod";
import { base64Url, utf8 } from "../../vault/bytes.ts";
import { fetchFromIssuer } from "../outbound-fetch.ts";
import type { Identity } from "./identities.ts";
import { errorCode, ProviderProblem } from "./provider-problem.ts";
import type { IdentityProvider } from "./providers.ts";
import type { Trip } from "./trip.ts";

/** Arbitrary: a person waits. */
const TIMEOUT_MS = 10_000;
/** Arbitrary: as clocks differ. */
const CLOCK_SECONDS = 60;

interface Metadata {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  /** How the client says who it is (OpenID Connect Core §9). */
  readonly auth: "client_secret_basic" | "client_secret_post";
  readonly scope: string;
  /** By which the person is asked for again: `login` wants them to sign in anew, `select_account` to press a button at least. */
  readonly prompt: "login" | "select_account";
  /** Null: it is no OpenID Connect provider, and says nothing that is signed. */
  readonly openId: { readonly jwksUri: string; readonly namesItself: boolean } | null;
}

/** https://docs.github.com/en/apps/oauth-apps. No scope: who the person is it says without. */
const GITHUB: Metadata = {
  authorizationEndpoint: "https://github.com/login/oauth/authorize",
  tokenEndpoint: "https://github.com/login/oauth/access_token",
  auth: "client_secret_post",
  scope: "",
  prompt: "select_account",
  openId: null,
};
const GITHUB_USER = "https://api.github.com/user";

/** OpenID Connect Discovery §3. */
const discoverySchema = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
  token_endpoint_auth_methods_supported: z.array(z.string()).default(["client_secret_basic"]),
  authorization_response_iss_parameter_supported: z.boolean().default(false),
});
const tokenSchema = z.object({ access_token: z.string().min(1), id_token: z.string().optional() });
const refusalSchema = z.object({ error: z.string() });
const keysSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });
const claimsSchema = z.object({
  sub: z.string().min(1).max(255),
  nonce: z.string().optional(),
  azp: z.string().optional(),
  auth_time: z.number().optional(),
  aud: z.union([z.string(), z.array(z.string())]),
  name: z.string().optional(),
  preferred_username: z.string().optional(),
});
/** The id is the account's for good; a login may go to somebody else. */
const githubUserSchema = z.object({
  id: z.int().positive(),
  login: z.string(),
  name: z.string().nullish(),
});

/** As what a provider says somebody is called; not who they are. */
export interface Identified {
  readonly identity: Identity;
  readonly name: string;
}

/** Where the person is sent. @throws ProviderProblem */
export async function authorizationAddress(
  provider: IdentityProvider,
  trip: Trip,
  { callback }: { readonly callback: string },
): Promise<string> {
  const { authorizationEndpoint, scope, prompt, openId } = await metadataOf(provider);
  const url = new URL(authorizationEndpoint);
  const challenge = await crypto.subtle.digest("SHA-256", utf8(trip.verifier));
  const parameters = {
    response_type: "code",
    client_id: provider.clientId,
    redirect_uri: callback,
    scope,
    state: trip.state,
    code_challenge: base64Url(new Uint8Array(challenge)),
    code_challenge_method: "S256",
    nonce: openId === null ? "" : trip.nonce,
    prompt: trip.isAgain ? prompt : "",
    // It has the answer name the time (OpenID Connect Core §3.1.2.1).
    max_age: trip.isAgain && prompt === "login" ? "0" : "",
  };
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== "") url.searchParams.set(name, value);
  }
  return url.href;
}

/** Who came back. @param answer the parameters of the callback, whose state was compared @throws ProviderProblem */
export async function identify(
  provider: IdentityProvider,
  trip: Trip,
  { answer, callback }: { readonly answer: URLSearchParams; readonly callback: string },
): Promise<Identified> {
  const metadata = await metadataOf(provider);
  checkWhoAnswers(provider, metadata, answer);
  const error = answer.get("error");
  if (error !== null) {
    throw new ProviderProblem(
      error === "access_denied" ? "declined" : "unavailable",
      `The authorization endpoint answered ${errorCode(error)}`,
    );
  }
  const tokens = await redeem(provider, metadata, {
    code: answer.get("code") ?? "",
    callback,
    verifier: trip.verifier,
  });
  if (metadata.openId === null) return askGitHub(provider, tokens.access_token);
  return readIdToken(provider, {
    token: tokens.id_token ?? "",
    jwksUri: metadata.openId.jwksUri,
    trip,
  });
}

async function metadataOf(provider: IdentityProvider): Promise<Metadata> {
  if (provider.id === "github") return GITHUB;
  const { issuer } = provider;
  const address = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const found = await ask(provider, address, discoverySchema);
  if (found.issuer !== issuer) {
    throw new ProviderProblem("untrusted", "The discovery document names another issuer");
  }
  return {
    authorizationEndpoint: found.authorization_endpoint,
    tokenEndpoint: found.token_endpoint,
    auth: found.token_endpoint_auth_methods_supported.includes("client_secret_basic")
      ? "client_secret_basic"
      : "client_secret_post",
    scope: "openid profile",
    prompt: provider.id === "google" ? "select_account" : "login",
    openId: {
      jwksUri: found.jwks_uri,
      namesItself: found.authorization_response_iss_parameter_supported,
    },
  };
}

/** RFC 9207 §2.4: an answer that another issuer was led to give is not taken for this one's. */
function checkWhoAnswers(
  { issuer }: IdentityProvider,
  { openId }: Metadata,
  answer: URLSearchParams,
): void {
  // GitHub documents no such parameter.
  if (openId === null) return;
  const named = answer.get("iss");
  if (named === null ? openId.namesItself : named !== issuer) {
    throw new ProviderProblem("untrusted", "Another issuer answered");
  }
}

/** RFC 6749 §4.1.3. */
async function redeem(
  provider: IdentityProvider,
  { tokenEndpoint, auth }: Metadata,
  { code, callback, verifier }: { code: string; callback: string; verifier: string },
): Promise<z.output<typeof tokenSchema>> {
  const { clientId, clientSecret } = provider;
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    code,
    redirect_uri: callback,
    code_verifier: verifier,
    ...(auth === "client_secret_post" ? { client_id: clientId, client_secret: clientSecret } : {}),
  });
  // §2.3.1: both encoded as in a form first.
  const pair = [clientId, clientSecret].map((part) => encodeURIComponent(part)).join(":");
  const basic = { headers: { authorization: `Basic ${btoa(pair)}` } };
  return ask(provider, tokenEndpoint, tokenSchema, {
    method: "POST",
    body,
    ...(auth === "client_secret_basic" ? basic : {}),
  });
}

/** OpenID Connect Core §3.1.3.7. */
async function readIdToken(
  provider: IdentityProvider,
  { token, jwksUri, trip }: { token: string; jwksUri: string; trip: Trip },
): Promise<Identified> {
  const { issuer, clientId } = provider;
  const keys = await ask(provider, jwksUri, keysSchema);
  const { payload } = await jwtVerify(
    token,
    // jose checks each key that it takes.
    createLocalJWKSet(keys as JSONWebKeySet),
    {
      issuer,
      audience: clientId,
      // Asymmetric ones: the client's secret signs nothing.
      algorithms: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"],
      requiredClaims: ["sub", "iat", "exp"],
      clockTolerance: CLOCK_SECONDS,
    },
  ).catch((error: unknown) => {
    if (!(error instanceof errors.JOSEError)) throw error;
    // A code of jose's: nothing of the token.
    throw new ProviderProblem("untrusted", `The ID token was refused: ${error.code}`);
  });
  const claims = claimsSchema.safeParse(payload);
  if (!claims.success) throw new ProviderProblem("untrusted", "The ID token lacks claims");
  const { sub: subject, nonce, aud, azp, auth_time: signedInAt, name } = claims.data;
  if (nonce !== trip.nonce) {
    throw new ProviderProblem("untrusted", "The ID token belongs to another sign-in");
  }
  // §3.1.3.7 no. 13. The request went through a browser that may be a stranger's by now. Some issuers name no time, and Google none that counts.
  const isOld = (signedInAt ?? Infinity) < trip.startedAt / 1000 - CLOCK_SECONDS;
  if (trip.isAgain && provider.id === "oidc" && isOld) {
    throw new ProviderProblem("untrusted", "The issuer did not ask for the person again");
  }
  if ((Array.isArray(aud) && aud.length > 1) || azp !== undefined) {
    if (azp !== clientId)
      throw new ProviderProblem("untrusted", "The ID token is another client's");
  }
  return { identity: { issuer, subject }, name: name ?? claims.data.preferred_username ?? "" };
}

async function askGitHub(provider: IdentityProvider, accessToken: string): Promise<Identified> {
  const headers = { authorization: `Bearer ${accessToken}` };
  const { id, login, name } = await ask(provider, GITHUB_USER, githubUserSchema, { headers });
  return { identity: { issuer: provider.issuer, subject: String(id) }, name: name ?? login };
}

interface Asking {
  readonly method?: "POST";
  readonly body?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws ProviderProblem without a word of the answer: it may hold tokens */
async function ask<Schema extends z.ZodType>(
  { issuer }: IdentityProvider,
  address: string,
  schema: Schema,
  { headers = {}, ...init }: Asking = {},
): Promise<z.output<Schema>> {
  const path = URL.parse(address)?.pathname ?? "";
  const unavailable = (what: string) => new ProviderProblem("unavailable", `${path} ${what}`);
  const response = await fetchFromIssuer(issuer, address, {
    ...init,
    // GitHub answers a form without the first, and refuses requests without the second.
    headers: { accept: "application/json", "user-agent": "Cofio", ...headers },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw unavailable(`was not reached (${error instanceof Error ? error.name : typeof error})`);
  });
  const answer: unknown = await response.json().catch(() => null);
  const refusal = refusalSchema.safeParse(answer);
  // GitHub refuses with status 200.
  if (refusal.success) throw unavailable(`answered ${errorCode(refusal.data.error)}`);
  if (!response.ok) throw unavailable(`answered ${response.status}`);
  const parsed = schema.safeParse(answer);
  if (!parsed.success) throw unavailable("answered something else than the standard has");
  return parsed.data;
}
