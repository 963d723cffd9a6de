/**
 * Claude Code without an account: it adds the server, signs in under a client id that the test gives it, and lists it as connected.
 * That its model calls the tools takes an account.
 */
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { Browser } from "../e2e/support/browser.ts";
import { allowIn, signedInBrowser, wayOf } from "./support/cofio.ts";
import { type Computer, newComputer } from "./support/computer.ts";

/** Arbitrary. */
const CALLBACK_PORT = 26_351;

let computer: Computer;
let browser: Browser;

beforeAll(async () => {
  [computer, browser] = await Promise.all([newComputer(), signedInBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await computer?.remove();
});

test("the Connect page's command adds it and asks for a sign-in; with a client id that this test registers, the sign-in in the browser connects it", async () => {
  const command = await wayOf("claude-code", "command");
  const added = await computer.run(command);
  expect(added.code, added.output).toBe(0);
  expect((await computer.run("claude mcp list")).output).toContain("Needs authentication");
  // By itself it is known by a document at claude.ai, which no server reads without the internet.
  const known = computer.start("claude mcp login cofio", { terminal: true });
  const asked = await computer.openedPage();
  expect(asked.searchParams.get("client_id")).toMatch(/^https:\/\/claude\.ai\//);
  await known.stop();

  const registered = await registeredClient(`http://localhost:${CALLBACK_PORT}/callback`);
  await computer.run("claude mcp remove --scope user cofio");
  await computer.run(`${command} --client-id ${registered} --callback-port ${CALLBACK_PORT}`);
  const signingIn = computer.start("claude mcp login cofio", { terminal: true });
  await allowIn(browser, await computer.openedPage());
  const { code, output } = await signingIn.ended;
  expect(code, output).toBe(0);
  expect((await computer.run("claude mcp list")).output).toContain(
    `cofio: ${inject("cofio").mcpUrl} (HTTP) - ✔ Connected`,
  );
});

test("the Connect page's command with a token connects it", async () => {
  const line = await wayOf("claude-code", "command", { at: 1, user: "claude-code" });
  const added = await computer.run(line.replace(" cofio ", " headless "));
  expect(added.code, added.output).toBe(0);
  expect((await computer.run("claude mcp get headless")).output).toContain("✔ Connected");
});

test("the Connect page's file of a project is read; it waits for the person's approval", async () => {
  await computer.write("project/.mcp.json", await wayOf("claude-code", "file"));
  await computer.run("claude mcp remove --scope user cofio");
  const { output } = await computer.run("claude mcp get cofio", { folder: "project" });
  expect(output).toContain("Pending approval");
  expect(output).toContain(inject("cofio").mcpUrl);
  expect(output).toContain("Type: http");
});

/** It does not register by itself. */
async function registeredClient(redirectUri: string): Promise<string> {
  const response = await fetch(`${inject("cofio").origin}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "Claude Code",
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: "none",
    }),
  });
  return ((await response.json()) as { client_id: string }).client_id; // RFC 7591 §3.2.1
}
