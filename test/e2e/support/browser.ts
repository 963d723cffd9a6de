/** A person at a real browser with a passkey, and MCP clients that they connect through the whole of OAuth. */
import { mkdirSync } from "node:fs";
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
import { chromium, type BrowserContext, type CDPSession, type Page } from "playwright-core";
import { findChromium } from "../../../scripts/chromium.ts";
import type { Server } from "./server.ts";

/** Nobody listens there: the browser's request to it is answered by `openBrowser`. */
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

/** A browser with an empty profile and an authenticator that verifies its person without asking. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === null) throw new Error("No Chromium: run `node scripts/chromium.ts`");
  const browser = await chromium.launch({ executablePath, args: LAUNCH_ARGS });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await context.route(
    (url) => url.origin === new URL(CALLBACK).origin,
    (route) => route.fulfill({ contentType: "text/html", body: "<p>Back at the client" }),
  );
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
    close: () => browser.close(),
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
  auth.callback = await browser.consent(askedFor(auth), answer);
  await new TransportV2(new URL(server.mcpUrl), { authProvider: auth }).finishAuth(
    auth.callback.searchParams,
  );
  return { client: await reconnect(), auth, reconnect };
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

/** Pages as a person sees them, light and dark, wide and narrow, in `test/e2e/screenshots/`. */
export async function photograph(
  page: Page,
  name: string,
  /** Not only what is in the window. */
  fullPage = true,
): Promise<void> {
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

/** One more device that keeps passkeys and verifies its person without asking. */
export async function addAuthenticator(
  context: BrowserContext,
  page: Page,
  transport: "internal" | "usb" = "internal",
): Promise<CDPSession> {
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  await cdp.send("WebAuthn.addVirtualAuthenticator", {
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
  return cdp;
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
