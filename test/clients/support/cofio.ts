/** One local server for all programs, with the account of a person who is signed in. Vitest runs `setup` once. */
import type { TestProject } from "vitest/node";
import { inject } from "vitest";
import { clientsFor, type Way } from "../../../apps/dashboard/pages/connect/clients.ts";
import { type Browser, openBrowser } from "../../e2e/support/browser.ts";
import { startServer } from "../../e2e/support/server.ts";

interface Cofio {
  readonly origin: string;
  readonly mcpUrl: string;
  /** Of the person's browser. */
  readonly cookies: readonly Cookie[];
}
type Cookie = Parameters<Browser["context"]["addCookies"]>[0][number];

declare module "vitest" {
  interface ProvidedContext {
    cofio: Cofio;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer();
  const browser = await openBrowser();
  await browser.signUp(server);
  const cookies = await browser.context.cookies();
  await browser.close();
  project.provide("cofio", { origin: server.origin, mcpUrl: server.mcpUrl, cookies });
  return () => server.stop();
}

/** A personal access token of a local user of this name. */
export async function tokenOf(user: string): Promise<string> {
  const response = await fetch(`${inject("cofio").origin}/local/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  });
  return ((await response.json()) as { token: string }).token; // the route's own answer
}

/** The person's browser, on any computer. */
export async function signedInBrowser(): Promise<Browser> {
  const browser = await openBrowser();
  await browser.context.addCookies([...inject("cofio").cookies]);
  return browser;
}

/** The person allows what a program asks for in its page, and lands back at the program. */
export async function allowIn(browser: Browser, asked: URL): Promise<URL> {
  const { origin } = inject("cofio");
  if (asked.origin !== origin) throw new Error(`It opened ${asked.href}`);
  await browser.page.goto(asked.href);
  await browser.page.getByRole("button", { name: "Allow", exact: true }).click();
  await browser.page.waitForURL((url) => url.origin !== origin);
  return asked;
}

/** As the Connect page says it for this server, word for word, with a token of this user where one is to be put in. */
export async function wayOf(
  id: string,
  kind: "command" | "file",
  { at = 0, user }: { readonly at?: number; readonly user?: string } = {},
): Promise<string> {
  const client = clientsFor(inject("cofio").mcpUrl).find((one) => one.id === id);
  const way: Way | undefined = client?.ways.filter((one) => one.kind === kind)[at];
  if (way === undefined || way.kind !== kind)
    throw new Error(`The Connect page has no such ${kind}`);
  if ((way.needsToken === true) !== (user !== undefined))
    throw new Error("With or without a token?");
  return user === undefined ? way.text : way.text.replaceAll("TOKEN", await tokenOf(user));
}
