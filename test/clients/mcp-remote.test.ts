/** mcp-remote, the bridge by which a program that only starts commands reaches a server on the web. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { callsOf, TOOLS, useAllTools } from "../e2e/support/all-tools.ts";
import type { Browser } from "../e2e/support/browser.ts";
import { allowIn, signedInBrowser, wayOf } from "./support/cofio.ts";
import { type Computer, newComputer } from "./support/computer.ts";

let computer: Computer;
let browser: Browser;

beforeAll(async () => {
  [computer, browser] = await Promise.all([newComputer(), signedInBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await computer?.remove();
});

test("through OAuth in the browser, a stdio client runs all twelve tools; a restart asks nothing", async () => {
  const { mcpUrl } = inject("cofio");
  const connecting = connect([mcpUrl]);
  const asked = await allowIn(browser, await computer.openedPage());
  expect(asked.searchParams.get("resource")).toBe(mcpUrl);
  const client = await connecting;
  expect(await namesOf(client)).toEqual(TOOLS);
  await useAllTools(callsOf(client), "Rhys");
  await client.close();

  const again = await connect([mcpUrl]);
  expect(await namesOf(again)).toEqual(TOOLS);
  await again.close();
});

test("the Connect page's configuration with a token, as a program starts it", async () => {
  const { mcpServers } = JSON.parse(await wayOf("stdio", "file", { at: 1, user: "remote" }));
  const { command, args, env } = mcpServers.cofio;
  // `npx -y` would look for it at the registry.
  expect([command, ...args.slice(0, 2)]).toEqual(["npx", "-y", "mcp-remote"]);
  const client = await connect(args.slice(2), env);
  expect(await namesOf(client)).toEqual(TOOLS);
  await client.close();
});

async function connect(args: string[], env: Record<string, string> = {}): Promise<Client> {
  const client = new Client({ name: "A program that starts commands", version: "1.0.0" });
  const transport = new StdioClientTransport({
    command: `${computer.home}/.test-bin/mcp-remote`,
    args,
    env: { ...computer.env, ...env },
    stderr: "ignore",
  });
  await client.connect(transport);
  return client;
}

async function namesOf(client: Client): Promise<string[]> {
  return (await client.listTools()).tools.map(({ name }) => name);
}
