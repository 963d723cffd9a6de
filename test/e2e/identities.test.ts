/** Signing in by an identity provider, in a browser: through the provider's own pages and back. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, type Browser } from "./support/browser.ts";
import { startServerWithIssuer, type ServerWithIssuer } from "./support/issuer-server.ts";

const MAIR = { sub: "mair", name: "Mair Llwyd" };

let running: ServerWithIssuer;
let browser: Browser;
let origin: string;
/** What the content security policy refused, and what the scripts of the pages threw. */
const complaints: string[] = [];

beforeAll(async () => {
  [running, browser] = await Promise.all([startServerWithIssuer(), openBrowser()]);
  ({ origin } = running.server);
  running.issuer.person = MAIR;
  browser.page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      complaints.push(message.text());
    }
  });
  browser.page.on("pageerror", (error) => complaints.push(String(error)));
});

afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

test("the owner signs up by a provider without a script on any page", async () => {
  const context = await browser.context.browser()?.newContext({ javaScriptEnabled: false });
  const page = await context?.newPage();
  if (page === undefined) throw new Error("The browser was launched by openBrowser");
  await page.goto(`${origin}/sign-up?next=/account`);
  await page.getByRole("button", { name: "Create account with Example ID" }).click();
  await page.getByText("Mair Llwyd").waitFor();
  expect(page.url()).toBe(`${origin}/account`);
  await page.context().close();
});

test("signing in by the provider leads back to the app that asked for consent", async () => {
  const { page } = browser;
  const callback = "http://localhost:33418/callback";
  const registered = await fetch(`${origin}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ redirect_uris: [callback], token_endpoint_auth_method: "none" }),
  });
  const { client_id } = (await registered.json()) as { client_id: string }; // RFC 7591 §3.2.1
  const asked = new URLSearchParams({
    response_type: "code",
    client_id,
    redirect_uri: callback,
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
    state: "x",
  });
  await page.goto(`${origin}/authorize?${asked}`);
  await page.getByText("An app asks for access").waitFor();
  await page.getByRole("button", { name: "Sign in with Example ID" }).click();
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await page.getByText("Back at the client").waitFor();
  expect(new URL(page.url()).searchParams.get("code")).not.toBeNull();
});

test("who has no passkey confirms by the provider, and comes back to the page", async () => {
  const { page } = browser;
  const path = "**/api/account/recovery-code";
  let asked = 0;
  await page.route(path, async (route) => {
    if (route.request().method() !== "POST" || asked++ > 0) return route.fallback();
    const error = { code: "forbidden", message: "x", hint: "x", reason: "not_confirmed" };
    return route.fulfill({ status: 403, json: { error } });
  });
  await page.goto(`${origin}/security`);
  await page.getByText("your only way in").waitFor();
  await page.getByRole("button", { name: "Make a recovery code" }).click();
  await page.getByRole("button", { name: "Confirm with Example ID" }).click();
  await page.getByRole("heading", { name: "Security", level: 1 }).waitFor();
  expect(running.issuer.asked.at(-1)?.get("prompt")).toBe("login");
  await page.unroute(path);
});

test("with a passkey added the provider is removed, and added again", async () => {
  const { page } = browser;
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page
    .getByRole("dialog", { name: "Add a passkey" })
    .getByRole("button", { name: "Go on" })
    .click();
  await page.getByText("The passkey was added.").waitFor();
  await page.getByRole("button", { name: "Remove: Example ID" }).click();
  await page
    .getByRole("dialog", { name: "Remove Example ID?" })
    .getByRole("button", { name: "Remove" })
    .click();
  await page.getByText("Example ID was removed.").waitFor();
  await page.getByText("This is your only passkey").waitFor();
  await page.getByRole("button", { name: "Add Example ID" }).click();
  await page.getByRole("button", { name: "Remove: Example ID" }).waitFor();
  await page.getByRole("button", { name: "Remove: Passkey" }).waitFor();
});

test("a provider that has somebody else's person lets nobody in, and says so", async () => {
  const { page } = browser;
  await browser.signOut(running.server);
  running.issuer.person = { sub: "a-stranger", name: "Mair Llwyd" };
  await page.goto(`${origin}/sign-in`);
  await page.getByRole("button", { name: "Sign in with Example ID" }).click();
  await page.getByRole("heading", { name: "No account here" }).waitFor();
  expect(await page.getByRole("link", { name: "Create account" }).count()).toBe(0);
});

test("nothing was refused by the content security policy, and no secret was logged", () => {
  expect(complaints).toEqual([]);
  expect(running.server.logs()).not.toContain(running.issuer.settings.OIDC_CLIENT_SECRET);
});
