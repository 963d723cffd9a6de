/** mcporter, which lists and calls tools from a shell. */
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type Answer, TOOLS, useAllTools } from "../e2e/support/all-tools.ts";
import type { Browser } from "../e2e/support/browser.ts";
import { allowIn, signedInBrowser, tokenOf } from "./support/cofio.ts";
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

test("with a token it lists and calls all twelve tools", async () => {
  const added = await computer.run(
    `mcporter config add cofio ${inject("cofio").mcpUrl} --allow-http --scope home --header "Authorization=Bearer ${await tokenOf("porter")}"`,
  );
  expect(added.code, added.output).toBe(0);
  expect(await toolsOf("cofio")).toEqual(TOOLS);
  await useAllTools((name, args) => call(`cofio.${name}`, args), "Olwen");
});

test("through OAuth in the browser it is connected, lists and calls", async () => {
  const added = await computer.run(
    `mcporter config add signed-in ${inject("cofio").mcpUrl} --allow-http --scope home --auth oauth`,
  );
  expect(added.code, added.output).toBe(0);
  const signingIn = computer.start("mcporter auth signed-in");
  await allowIn(browser, await computer.openedPage());
  const { code, output } = await signingIn.ended;
  expect(code, output).toBe(0);
  expect(await toolsOf("signed-in")).toEqual(TOOLS);
  expect((await call("signed-in.save_memory", { content: "By mcporter" }))["outcome"]).toBe(
    "created",
  );
});

async function toolsOf(server: string): Promise<string[]> {
  const { stdout, output } = await computer.run(`mcporter list ${server} --json`);
  expect(stdout, output).toContain("tools");
  return JSON.parse(stdout).tools.map(({ name }: Answer) => name);
}

async function call(tool: string, args: Record<string, unknown> = {}): Promise<Answer> {
  await computer.write("arguments.json", JSON.stringify(args));
  const { code, stdout, output } = await computer.run(
    `mcporter call ${tool} --args "$(cat arguments.json)" --output json`,
  );
  expect(code, output).toBe(0);
  return JSON.parse(stdout);
}
