/** Every page that a person sees, one line each, for whatever has to hold of all of them. */
import type { BrowserContext, Page } from "playwright-core";
import type { Server } from "./server.ts";

export interface ShownPage {
  readonly name: string;
  /** `:memory` and `:conversation` stand for one of the account, `:consent` for what a client asks. */
  readonly path: string;
  /** A list that never ends is photographed only as far as the window shows it. */
  readonly isEndless?: true;
}

export const SIGNED_OUT_PAGES: readonly ShownPage[] = [
  { name: "welcome", path: "/" },
  { name: "sign-up", path: "/sign-up" },
  { name: "sign-in", path: "/sign-in" },
  { name: "recovery", path: "/recover" },
];

export const SIGNED_IN_PAGES: readonly ShownPage[] = [
  { name: "home", path: "/" },
  { name: "memories", path: "/memories", isEndless: true },
  { name: "memories-waiting", path: "/memories?status=pending" },
  { name: "memories-trash", path: "/memories?status=trashed" },
  { name: "memory", path: "/memories/:memory" },
  { name: "conversations", path: "/conversations", isEndless: true },
  { name: "conversations-trash", path: "/conversations?status=trashed" },
  { name: "conversations-search", path: "/conversations?q=plan" },
  { name: "conversation", path: "/conversations/:conversation" },
  { name: "import", path: "/import" },
  { name: "export", path: "/export" },
  { name: "history", path: "/history", isEndless: true },
  { name: "connect", path: "/connect" },
  { name: "apps", path: "/apps" },
  { name: "rules", path: "/rules" },
  { name: "security", path: "/security" },
  { name: "account", path: "/account" },
  { name: "consent", path: ":consent" },
  { name: "api-docs", path: "/api/docs" },
  { name: "not-found", path: "/no-such-page" },
];

/** Where it is, in this account. */
export async function addressOf(
  { path }: ShownPage,
  { server, context }: { readonly server: Server; readonly context: BrowserContext },
): Promise<string> {
  if (path === ":consent") return consentAddress(server, "Kitchen Assistant");
  for (const [part, plural] of [
    [":memory", "memories"],
    [":conversation", "conversations"],
  ] as const) {
    if (!path.includes(part)) continue;
    const answer = await context.request.get(`${server.origin}/api/${plural}?limit=1`);
    const [first] = (await answer.json())[plural];
    return server.origin + path.replace(part, first.id);
  }
  return server.origin + path;
}

/** Where a client that was registered under this name sends a person to be allowed. */
export async function consentAddress(server: Server, clientName: string): Promise<string> {
  const redirect = "http://localhost:33418/callback";
  const registered = await fetch(`${server.origin}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: clientName,
      redirect_uris: [redirect],
      token_endpoint_auth_method: "none",
    }),
  });
  if (!registered.ok) throw new Error(`Registration: ${registered.status}`);
  const { client_id: clientId } = (await registered.json()) as { client_id: string }; // RFC 7591
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirect,
    state: "photographed",
    // Of RFC 7636, appendix B: nobody redeems the code.
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
    resource: server.mcpUrl,
  });
  return `${server.origin}/authorize?${query}`;
}

/** A loaded machine may need long to read everything; what takes longer is stuck. */
const READ_MS = 30_000;

/** Until the page shows all that it has to read. @throws TimeoutError when it goes on waiting */
export async function untilRead(page: Page): Promise<void> {
  await page.locator("h1").first().waitFor();
  await page.locator("body").filter({ hasNotText: "Loading …" }).waitFor({ timeout: READ_MS });
}
