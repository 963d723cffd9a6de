/** The bridge's access to a server by OAuth: tokens from its file, refreshed when they end, or by a sign-in in the browser. */
import { randomBytes } from "node:crypto";
import {
  auth,
  type AuthOptions,
  type AuthProvider,
  extractWWWAuthenticateParams,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
} from "@modelcontextprotocol/client";
import { openCallback, type Callback } from "./callback.ts";
import type { CredentialFile, Credentials } from "./credentials.ts";
import { type Fetch, isAllowed } from "./guarded-fetch.ts";
import { printable } from "./printable.ts";

export interface SignInOptions {
  readonly server: URL;
  readonly file: CredentialFile;
  readonly fetch: Fetch;
  /** Shows the person where to sign in. */
  readonly show: (url: URL) => void;
}

/** A person was to sign in, and it came to nothing. */
class SignInFailed extends Error {
  override readonly name = "SignInFailed";
}

/** How the transport reaches the server. */
export interface SignedIn {
  readonly authProvider: AuthProvider;
  readonly fetch: Fetch;
}

/** All requests that find the token ended wait for one and the same sign-in. */
export function signedIn(options: SignInOptions): SignedIn {
  let current: string | undefined;
  let running: Promise<void> | null = null;
  /** What each request had with it: one that was under way during a renewal is refused after it. */
  const sentWith = new WeakMap<Response, string>();

  async function renew(response: Response): Promise<void> {
    try {
      current = await signIn(options, current, response);
      running = null;
    } catch (error) {
      // It stays: a page that opens over and over would be worse than a program that has to be started again.
      if (!(error instanceof SignInFailed)) running = null;
      throw error;
    }
  }

  return {
    authProvider: {
      token: async () => (current ??= options.file.read().tokens?.access_token),
      async onUnauthorized({ response }) {
        const isRenewed = current !== undefined && sentWith.get(response) !== `Bearer ${current}`;
        // The SDK asks once more in either case.
        if (running !== null || !isRenewed) await (running ??= renew(response));
      },
    },
    async fetch(input, init) {
      const response = await options.fetch(input, init);
      sentWith.set(response, new Headers(init?.headers).get("authorization") ?? "");
      return response;
    },
  };
}

/** @param refused the token that the server did not take @returns the one to send from now on */
export function signIn(
  options: SignInOptions,
  refused: string | undefined,
  response: Response,
): Promise<string> {
  const { server, file, fetch } = options;
  return file.locked(async () => {
    const kept = file.read();
    // Another process signed in while this one waited for the lock.
    const newer = kept.tokens?.access_token;
    if (newer !== undefined && newer !== refused) return newer;

    // The port that the client registered if it is free; servers take any other of the loopback too (RFC 8252 §7.3).
    const callback = await openCallback(kept.port);
    try {
      const session = openSession(options, { port: callback.port, ...kept }, callback.url);
      const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(response);
      const request = {
        serverUrl: server,
        fetchFn: fetch,
        ...(resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl }),
        ...(scope === undefined ? {} : { scope }),
      };
      if ((await auth(session.provider, request)) === "REDIRECT") {
        await finish(session, request, callback);
      }
      const token = session.accessToken();
      if (token === undefined) throw new SignInFailed("The server gave no access token.");
      return token;
    } finally {
      callback.close();
    }
  });
}

/** What the browser brought back, as the SDK wants it; it compares the issuer (RFC 9207) before it sends the code anywhere. */
async function finish(
  { provider, state }: Session,
  request: AuthOptions,
  callback: Callback,
): Promise<void> {
  try {
    const answer = await callback.wait(state);
    const refusal = answer.get("error");
    if (refusal !== null) throw new Error(`The sign-in was refused: ${printable(refusal)}.`);
    const iss = answer.get("iss");
    await auth(provider, {
      ...request,
      authorizationCode: answer.get("code") ?? "",
      ...(iss === null ? {} : { iss }),
    });
  } catch (error) {
    throw new SignInFailed(error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}

interface Session {
  readonly provider: OAuthClientProvider;
  readonly state: string;
  accessToken(): string | undefined;
}

/** One sign-in, as the SDK asks for its parts. What is learnt is written at once: a refresh token is good for one use. */
function openSession(
  { server, file, show }: SignInOptions,
  known: Credentials,
  redirectUrl: string,
): Session {
  const state = randomBytes(32).toString("base64url");
  let credentials = known;
  let verifier = "";
  // For this sign-in only: the server may have moved to another authorization server by the next one.
  let discovery: OAuthDiscoveryState | undefined;
  const keep = (part: Partial<Credentials>): void => {
    credentials = { ...credentials, ...part };
    file.write(credentials);
  };
  const forget = (...parts: readonly (keyof Credentials)[]): void => {
    const rest = Object.entries(credentials).filter(([name]) => !parts.some((one) => one === name));
    // True because the address is never among the parts.
    credentials = Object.fromEntries(rest) as unknown as Credentials;
    file.write(credentials);
  };
  const provider: OAuthClientProvider = {
    redirectUrl,
    clientMetadata: {
      client_name: "cofio connect",
      redirect_uris: [redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    },
    state: () => state,
    clientInformation: () => credentials.client,
    saveClientInformation: (client) => keep({ client }),
    tokens: () => credentials.tokens,
    saveTokens: (tokens) => keep({ tokens }),
    codeVerifier: () => verifier,
    saveCodeVerifier: (made) => void (verifier = made),
    discoveryState: () => discovery,
    saveDiscoveryState: (found) => void (discovery = found),
    redirectToAuthorization(url) {
      if (!isAllowed(url, server)) {
        throw new SignInFailed(
          `Refused to open the sign-in page that ${server.host} named: ${printable(url.protocol)}//${printable(url.host)}`,
        );
      }
      show(url);
    },
    invalidateCredentials(what) {
      switch (what) {
        case "all":
          discovery = undefined;
          return forget("client", "tokens");
        case "client":
        case "tokens":
          return forget(what);
        case "discovery":
          discovery = undefined;
          return;
        case "verifier":
          verifier = "";
      }
    },
  };
  return { provider, state, accessToken: () => credentials.tokens?.access_token };
}
