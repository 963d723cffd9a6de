/** opencode without an account: it reads the file, signs in, and lists the server as connected. That its model calls the tools takes an account. */
import { afterAll, beforeAll, expect, test } from "vitest";
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

test("the Connect page's file is read; `opencode mcp auth cofio` signs in through the browser", async () => {
  await computer.write("opencode.json", await wayOf("opencode", "file"));
  expect((await computer.run("opencode mcp list")).output).toContain("needs authentication");
  const signingIn = computer.start("opencode mcp auth cofio", { terminal: true });
  await allowIn(browser, await computer.openedPage());
  const { output } = await signingIn.ended;
  expect(output).toContain("successful");
  expect((await computer.run("opencode mcp list")).output).toMatch(/cofio\s+connected/);
});
