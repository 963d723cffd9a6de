/** A person at a real browser with a passkey, and MCP clients that they connect through the whole of OAuth. */
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
  UnauthorizedError as UnauthorizedV2,
  type OAuthClientProvider as AuthV2,
} from "@modelcontextprotocol/client";
import {
  UnauthorizedError as UnauthorizedV1,
  type OAuthClientProvider as AuthV1,
} from "@modelcontextprotocol/sdk/client/auth.js";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { findChromium } from "../../../scripts/chromium.ts";
import type { Server } from "./server.ts";

/** Nobody listens there: the browser is told another port, at which `answerCallbacks` does. */
const CALLBACK = "http://localhost:33418/callback";

const LAUNCH_ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface Browser {
  readonly context: BrowserContext;
  readonly page: Page;
  signUp(server: Server, name?: string): Promise<void>;
  signIn(server: Server): Promise<void>;
  signOut(server: Server): Promise<void>;
  /** Opens an authorization address, answers the consent page, and waits for the client's callback. */
  consent(authorizationUrl: URL, answer?: ConsentAnswer): Promise<URL>;
  close(): Promise<void>;
}

export interface ConsentAnswer {
  /** Scopes left ticked. Default: as the page offers them. */
  readonly scopes?: readonly string[];
  readonly deny?: boolean;
}

/**
 * A browser with an empty profile and an authenticator that verifies its person without asking.
 * @param debuggingPort for other programs, which share the profile: what they open is signed in as this page is
 */
export async function openBrowser({
  debuggingPort,
}: { readonly debuggingPort?: number } = {}): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === null) throw new Error("No Chromium: run `node scripts/chromium.ts`");
  const viewport = { width: 1280, height: 900 };
  const callbacks = await answerCallbacks();
  const launchArgs = [
    ...LAUNCH_ARGS,
    // Not a route of Playwright's: with any of them the browser keeps nothing in its cache, and every page is loaded from nothing.
    `--host-resolver-rules=MAP ${new URL(CALLBACK).host} 127.0.0.1:${callbacks.port}`,
  ];
  // Whoever comes by the port gets the profile, here a temporary one, and not a context of its own beside it.
  const context =
    debuggingPort === undefined
      ? await (await chromium.launch({ executablePath, args: launchArgs })).newContext({ viewport })
      : await chromium.launchPersistentContext("", {
          executablePath,
          viewport,
          args: [...launchArgs, `--remote-debugging-port=${debuggingPort}`],
        });
  const page = await context.newPage();
  await addAuthenticator(context, page);
  return {
    context,
    page,
    async signUp(server, name = "Test person") {
      await page.goto(`${server.origin}/sign-up`);
      await page.getByLabel("Your name").fill(name);
      await page.getByRole("button", { name: "Create account with a passkey" }).click();
      await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
    },
    async signIn(server) {
      await page.goto(`${server.origin}/sign-in`);
      await page.getByRole("button", { name: "Sign in with a passkey" }).click();
      await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
    },
    async signOut(server) {
      await page.goto(server.origin);
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("link", { name: "Sign in" }).waitFor();
    },
    async consent(authorizationUrl, { scopes, deny = false } = {}) {
      await page.goto(authorizationUrl.href);
      if (scopes !== undefined) await tickOnly(page, scopes);
      await page.getByRole("button", { name: deny ? "Deny" : "Allow", exact: true }).click();
      await page.waitForURL((url) => url.href.startsWith(CALLBACK));
      return new URL(page.url());
    },
    async close() {
      await context.close();
      await context.browser()?.close();
      callbacks.close();
    },
  };
}

export interface ConnectOptions extends ConsentAnswer {
  /** As the client calls itself. */
  readonly name?: string;
}

/** What a client keeps between its steps, readable by tests. */
export interface Kept {
  authorizationUrl: URL | undefined;
  /** The consent page's last answer. */
  callback: URL | undefined;
}

export interface ConnectedV2 {
  readonly client: ClientV2;
  readonly auth: AuthV2 & Kept;
  /** A fresh connection with the tokens that are there: what a client does after a restart. */
  reconnect(): Promise<ClientV2>;
}

export interface ConnectedV1 {
  readonly client: ClientV1;
  readonly auth: AuthV1 & Kept;
  reconnect(): Promise<ClientV1>;
}

/**
 * The v2 SDK client, of the 2026-07-28 era, through discovery, registration, PKCE and a clicked consent.
 * The browser must be signed in.
 */
export async function connectV2(
  server: Server,
  browser: Browser,
  { name = "Client of the v2 SDK", ...answer }: ConnectOptions = {},
): Promise<ConnectedV2> {
  const { auth, authorizationUrl, fetchToken, reconnect } = await beginV2(server, name);
  auth.callback = await browser.consent(authorizationUrl, answer);
  await fetchToken(auth.callback);
  return { client: await reconnect(), auth, reconnect };
}

/** The same step by step: it has found the server and registered, and asks for authorization. */
export async function beginV2(server: Server, name: string) {
  const auth = rememberV2(name);
  const reconnect = async (): Promise<ClientV2> => {
    const client = new ClientV2(
      { name, version: "1.0.0" },
      { versionNegotiation: { mode: { pin: "2026-07-28" } } },
    );
    await client.connect(new TransportV2(new URL(server.mcpUrl), { authProvider: auth }));
    return client;
  };
  await refusedAs(UnauthorizedV2, reconnect);
  return {
    auth,
    authorizationUrl: askedFor(auth),
    fetchToken: (callback: URL): Promise<void> =>
      new TransportV2(new URL(server.mcpUrl), { authProvider: auth }).finishAuth(
        callback.searchParams,
      ),
    reconnect,
  };
}

/** The v1 SDK client, which opens with `initialize`. The browser must be signed in. */
export async function connectV1(
  server: Server,
  browser: Browser,
  { name = "Client of the v1 SDK", ...answer }: ConnectOptions = {},
): Promise<ConnectedV1> {
  const auth = rememberV1(name);
  const reconnect = async (): Promise<ClientV1> => {
    const client = new ClientV1({ name, version: "1.0.0" });
    await client.connect(new TransportV1(new URL(server.mcpUrl), { authProvider: auth }));
    return client;
  };
  await refusedAs(UnauthorizedV1, reconnect);
  auth.callback = await browser.consent(askedFor(auth), answer);
  await new TransportV1(new URL(server.mcpUrl), { authProvider: auth }).finishAuth(
    auth.callback.searchParams.get("code") ?? "",
  );
  return { client: await reconnect(), auth, reconnect };
}

/**
 * Pages as a person sees them, light and dark, wide and narrow, in `test/e2e/screenshots/`: for `npm run screenshots`, and with
 * `SCREENSHOTS=1` in tests, of what only they bring about.
 */
export async function photograph(
  page: Page,
  name: string,
  /** Not only what is in the window. */
  fullPage = true,
): Promise<void> {
  if (process.env["SCREENSHOTS"] === undefined) return;
  const folder = join(import.meta.dirname, "../screenshots");
  mkdirSync(folder, { recursive: true });
  const before = page.viewportSize();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: width === 1280 ? 900 : 844 });
      await page.screenshot({
        path: join(folder, `${name}-${colorScheme}-${width}.png`),
        fullPage,
      });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (before !== null) await page.setViewportSize(before);
}

/** What clients show who has allowed them. */
async function answerCallbacks() {
  const server = createServer((_, answer) => {
    answer.setHeader("content-type", "text/html");
    answer.end("<p>Back at the client");
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has a port");
  return {
    port: address.port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** One more device that keeps passkeys and verifies its person without asking. */
export async function addAuthenticator(
  context: BrowserContext,
  page: Page,
  transport: "internal" | "usb" = "internal",
): Promise<{ readonly remove: () => Promise<void> }> {
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      ctap2Version: "ctap2_1",
      transport,
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    // Not by the end of the session, with which all of the page's go.
    remove: async () => {
      await cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
    },
  };
}

async function tickOnly(page: Page, scopes: readonly string[]): Promise<void> {
  for (const box of await page.locator("input[name=scope]").all()) {
    await box.setChecked(scopes.includes((await box.getAttribute("value")) ?? ""));
  }
}

async function refusedAs(
  kind: new (...args: never[]) => Error,
  attempt: () => Promise<unknown>,
): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof kind) return;
    throw error;
  }
  throw new Error("The server let a client in that nobody had allowed");
}

function askedFor(kept: Kept): URL {
  if (kept.authorizationUrl === undefined)
    throw new Error("The client did not ask for authorization");
  return kept.authorizationUrl;
}

function metadataOf(name: string) {
  return {
    client_name: name,
    redirect_uris: [CALLBACK],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
}

function rememberV2(name: string): AuthV2 & Kept {
  let client: Awaited<ReturnType<AuthV2["clientInformation"]>>;
  let tokens: Awaited<ReturnType<AuthV2["tokens"]>>;
  let discovery: Awaited<ReturnType<NonNullable<AuthV2["discoveryState"]>>>;
  let verifier = "";
  const state = crypto.randomUUID();
  const auth: AuthV2 & Kept = {
    authorizationUrl: undefined,
    callback: undefined,
    redirectUrl: CALLBACK,
    clientMetadata: metadataOf(name),
    state: () => state,
    clientInformation: () => client,
    saveClientInformation: (saved) => void (client = saved),
    tokens: () => tokens,
    saveTokens: (saved) => void (tokens = saved),
    redirectToAuthorization: (url) => void (auth.authorizationUrl = url),
    codeVerifier: () => verifier,
    saveCodeVerifier: (saved) => void (verifier = saved),
    discoveryState: () => discovery,
    saveDiscoveryState: (saved) => void (discovery = saved),
  };
  return auth;
}

function rememberV1(name: string): AuthV1 & Kept {
  let client: Awaited<ReturnType<AuthV1["clientInformation"]>>;
  let tokens: Awaited<ReturnType<AuthV1["tokens"]>>;
  let verifier = "";
  const state = crypto.randomUUID();
  const auth: AuthV1 & Kept = {
    authorizationUrl: undefined,
    callback: undefined,
    redirectUrl: CALLBACK,
    clientMetadata: metadataOf(name),
    state: () => state,
    clientInformation: () => client,
    saveClientInformation: (saved) => void (client = saved),
    tokens: () => tokens,
    saveTokens: (saved) => void (tokens = saved),
    redirectToAuthorization: (url) => void (auth.authorizationUrl = url),
    codeVerifier: () => verifier,
    saveCodeVerifier: (saved) => void (verifier = saved),
  };
  return auth;
}
