/** Codex without an account: it adds the server, signs in and lists its tools. That its model calls them takes an account. */
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { TOOLS } from "../e2e/support/all-tools.ts";
import type { Browser } from "../e2e/support/browser.ts";
import { allowIn, signedInBrowser, tokenOf, wayOf } from "./support/cofio.ts";
import { type Computer, newComputer, type RunOptions } from "./support/computer.ts";

let computer: Computer;
let browser: Browser;

beforeAll(async () => {
  [computer, browser] = await Promise.all([newComputer(), signedInBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await computer?.remove();
});

test("the Connect page's command adds it and opens the sign-in; signed in, it lists the tools", async () => {
  const adding = computer.start(await wayOf("codex", "command"));
  // By itself it is known by a document at chatgpt.com, which no server reads without the internet.
  const asked = await computer.openedPage();
  expect(asked.searchParams.get("client_id")).toMatch(/^https:\/\/chatgpt\.com\//);
  await adding.stop();
  // The file that it wrote is the one of the page.
  expect((await computer.read(".codex/config.toml")).trim()).toBe(await wayOf("codex", "file"));

  const signingIn = computer.start("codex mcp login cofio --oauth-client-registration dcr");
  await allowIn(browser, await computer.openedPage());
  const { code, output } = await signingIn.ended;
  expect(code, output).toBe(0);
  expect(await authOf()).toBe("o_auth");
  expect(await toolsIn()).toEqual([...TOOLS].sort());
});

test("the Connect page's file with the token in a variable connects it", async () => {
  await computer.write(".codex/config.toml", await wayOf("codex", "file", { at: 1 }));
  const env = { COFIO_TOKEN: await tokenOf("codex") };
  expect(await authOf({ env })).toBe("bearer_token");
  expect(await toolsIn({ env })).toEqual([...TOOLS].sort());
});

async function authOf(options: RunOptions = {}): Promise<string> {
  const { stdout } = await computer.run("codex mcp list --json", options);
  const [server] = JSON.parse(stdout);
  expect(server.transport).toMatchObject({ type: "streamable_http", url: inject("cofio").mcpUrl });
  return server.auth_status;
}

/** What its own server, on which its editors build, says of the servers that it is connected to. */
async function toolsIn(options: RunOptions = {}): Promise<string[]> {
  const server = computer.start("codex app-server", options);
  for (const message of [
    { id: 1, method: "initialize", params: { clientInfo: { name: "test", version: "1" } } },
    { method: "initialized" },
    { id: 2, method: "mcpServerStatus/list", params: {} },
  ]) {
    server.type(`${JSON.stringify(message)}\n`);
  }
  const [line] = await server.printed(/^\{"id":2,.*\}$/m);
  await server.stop();
  const [cofio] = JSON.parse(line).result.data;
  return Object.keys(cofio.tools).sort();
}
