/**
 * Who else may say that somebody is who they are: GitHub, Google, and one OpenID Connect issuer of the deployer's choice. Each is there
 * when all its settings are, which are secrets (README.md, "Signing in by GitHub, Google or your own issuer").
 */
import * as z from "zod";
import { isLoopback } from "../sign-up.ts";

export interface IdentityProvider {
  /** In addresses. */
  readonly id: "github" | "google" | "oidc";
  /** On buttons. */
  readonly name: string;
  /** Whose people these are: with the subject it is who somebody is. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

const setting = z.string().trim().default("");
const settingsSchema = z.object({
  PUBLIC_ORIGIN: z.string(),
  GITHUB_CLIENT_ID: setting,
  GITHUB_CLIENT_SECRET: setting,
  GOOGLE_CLIENT_ID: setting,
  GOOGLE_CLIENT_SECRET: setting,
  OIDC_ISSUER: setting,
  OIDC_CLIENT_ID: setting,
  OIDC_CLIENT_SECRET: setting,
  OIDC_NAME: setting,
});

const GITHUB_ISSUER = "https://github.com";
const GOOGLE_ISSUER = "https://accounts.google.com";

/** In the order of the buttons. What is not set up whole is left out: an optional way in must not stop anybody's client. */
export function identityProviders(env: Env): IdentityProvider[] {
  const { PUBLIC_ORIGIN: origin, ...settings } = settingsSchema.parse(env);
  return providersOf(settings).filter(
    (provider) => isWanted(provider) && problemOf(provider, origin) === null,
  );
}

/** What keeps a provider out that somebody began to set up: the names of settings, and nothing of what they hold. */
export function providerProblems(env: object): string[] {
  const { PUBLIC_ORIGIN: origin, ...settings } = settingsSchema.parse(env);
  return providersOf(settings)
    .filter(isWanted)
    .map((provider) => problemOf(provider, origin))
    .filter((problem) => problem !== null);
}

function providersOf(
  settings: Omit<z.output<typeof settingsSchema>, "PUBLIC_ORIGIN">,
): IdentityProvider[] {
  const { OIDC_ISSUER: issuer } = settings;
  return [
    {
      id: "github",
      name: "GitHub",
      issuer: GITHUB_ISSUER,
      clientId: settings.GITHUB_CLIENT_ID,
      clientSecret: settings.GITHUB_CLIENT_SECRET,
    },
    {
      id: "google",
      name: "Google",
      issuer: GOOGLE_ISSUER,
      clientId: settings.GOOGLE_CLIENT_ID,
      clientSecret: settings.GOOGLE_CLIENT_SECRET,
    },
    {
      id: "oidc",
      name: settings.OIDC_NAME || (URL.parse(issuer)?.host ?? ""),
      issuer,
      clientId: settings.OIDC_CLIENT_ID,
      clientSecret: settings.OIDC_CLIENT_SECRET,
    },
  ];
}

export function findProvider(env: Env, id: string): IdentityProvider | null {
  return identityProviders(env).find((provider) => provider.id === id) ?? null;
}

/** As JSON, for statements that count the ways in: what no provider vouches for any more is none. */
export function issuersJson(env: Env): string {
  return JSON.stringify(identityProviders(env).map(({ issuer }) => issuer));
}

/** False: nothing of it is set. */
function isWanted({ id, issuer, clientId, clientSecret }: IdentityProvider): boolean {
  return clientId !== "" || clientSecret !== "" || (id === "oidc" && issuer !== "");
}

/** Null: it can be used. */
function problemOf(
  { id, issuer, clientId, clientSecret }: IdentityProvider,
  origin: string,
): string | null {
  if ([issuer, clientId, clientSecret].includes("")) {
    const names = ["CLIENT_ID", "CLIENT_SECRET", ...(id === "oidc" ? ["ISSUER"] : [])];
    const all = names.map((name) => `${id.toUpperCase()}_${name}`).join(", ");
    return `${all}: all of them are to be set, or none`;
  }
  return id === "oidc" && !isIssuer(issuer, origin)
    ? "OIDC_ISSUER is to be the https address that the issuer names itself by"
    : null;
}

/** OpenID Connect Core §2: https, without query and fragment. On loopback a local one may be without TLS. */
function isIssuer(issuer: string, origin: string): boolean {
  const url = URL.parse(issuer);
  if (url === null || /[?#]/.test(issuer)) return false;
  return (
    url.protocol === "https:" ||
    (url.protocol === "http:" && isLoopback(issuer) && isLoopback(origin))
  );
}
