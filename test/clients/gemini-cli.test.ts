/** Gemini CLI without an account: it adds the server, signs in, and lists it as connected. That its model calls the tools takes an account. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser } from "../e2e/support/browser.ts";
import { allowIn, signedInBrowser, wayOf } from "./support/cofio.ts";
import { type Computer, newComputer } from "./support/computer.ts";

/** What the person answers when it asks whether it may trust the folder; and a key, because without one it starts no command. */
const env = { GEMINI_CLI_TRUST_WORKSPACE: "true", GEMINI_API_KEY: "none" };

let computer: Computer;
let browser: Browser;

beforeAll(async () => {
  [computer, browser] = await Promise.all([newComputer(), signedInBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await computer?.remove();
});

test("the Connect page's command adds it; `/mcp auth cofio` signs in through the browser", async () => {
  const added = await computer.run(await wayOf("gemini-cli", "command"));
  expect(added.code, added.output).toBe(0);
  expect((await computer.run("gemini mcp list", { env })).output).toContain("Disconnected");
  await signIn();
  expect((await computer.run("gemini mcp list", { env })).output).toMatch(/cofio: .* - Connected/);
});

test("the Connect page's file is read, and the sign-in holds for it", async () => {
  await computer.write(".gemini/settings.json", await wayOf("gemini-cli", "file"));
  expect((await computer.run("gemini mcp list", { env })).output).toMatch(
    /cofio: .* \(http\) - Connected/,
  );
});

async function signIn(): Promise<void> {
  const session = computer.start("gemini -p '/mcp auth cofio'", { env, terminal: true });
  await session.printed(/Do you want to continue/);
  session.type("y\n");
  await allowIn(browser, await computer.openedPage());
  const { output } = await session.ended;
  expect(output).toMatch(/[Ss]uccessfully (?:authenticated|reloaded)/);
}
