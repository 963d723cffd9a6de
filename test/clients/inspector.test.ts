/** The MCP Inspector's command line: each call is a process of its own, which begins with `initialize` or `server/discover`. */
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type Answer, type Call, TOOLS, useAllTools } from "../e2e/support/all-tools.ts";
import type { Browser } from "../e2e/support/browser.ts";
import { newFolder, programFile, type ServedFolder } from "../e2e/support/program.ts";
import { allowIn, signedInBrowser, tokenOf } from "./support/cofio.ts";
import { type Computer, newComputer } from "./support/computer.ts";

/** It asks a person without a terminal only when it is told to, and has no keychain here. */
const INSPECTOR_ENV = { MCP_AUTO_OPEN_ENABLED: "true", MCP_INSPECTOR_SECRET_STORE: "file" };

let computer: Computer;
let folder: ServedFolder;
let browser: Browser;

beforeAll(async () => {
  [computer, folder, browser] = await Promise.all([newComputer(), newFolder(), signedInBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await folder?.remove();
  await computer?.remove();
});

test("over stdio it lists and runs all twelve tools of `cofio --db-path`", async () => {
  const target = `${process.execPath} ${programFile} --db-path ${folder.path}`;
  expect(await toolsOf(target)).toEqual(TOOLS);
  await useAllTools(callsOf(target), "Ines");
});

test("over HTTP with a token, in both protocol eras", async () => {
  const { mcpUrl } = inject("cofio");
  const token = await tokenOf("inspector");
  for (const era of ["legacy", "modern"]) {
    const target = `${mcpUrl} --transport http --protocol-era ${era} --header "Authorization: Bearer ${token}"`;
    expect(await toolsOf(target)).toEqual(TOOLS);
    const saved = await callsOf(target)("save_memory", { content: `Saved in the ${era} era` });
    expect(saved["outcome"]).toBe("created");
  }
});

test("its check of the schemas for other clients' parsers finds nothing", async () => {
  const token = await tokenOf("inspector");
  const { code, output } = await inspect(
    `${inject("cofio").mcpUrl} --transport http --header "Authorization: Bearer ${token}" --method tools/list --strict --output checked.json`,
  );
  expect(output).not.toMatch(/portability|issue/i);
  expect(code).toBe(0);
});

test("through OAuth in the browser; the second time it has its tokens", async () => {
  const { mcpUrl } = inject("cofio");
  const list = `--cli ${mcpUrl} --transport http --method tools/list --format json`;
  const listing = computer.start(`mcp-inspector ${list}`, { env: INSPECTOR_ENV });
  const [address] = await listing.printed(/http\S+\/authorize\?\S+/);
  await allowIn(browser, new URL(address));
  expect(namesIn((await listing.ended).stdout)).toEqual(TOOLS);
  const again = await inspect(`${list.slice("--cli ".length)} --stored-auth-only`);
  expect(again.stdout, again.output).toContain("tools");
  expect(namesIn(again.stdout)).toEqual(TOOLS);
});

async function toolsOf(target: string): Promise<string[]> {
  const { stdout, output } = await inspect(`${target} --method tools/list --format json`);
  expect(stdout, output).toContain("tools");
  return namesIn(stdout);
}

function namesIn(stdout: string): string[] {
  return JSON.parse(stdout).result.tools.map(({ name }: Answer) => name);
}

function callsOf(target: string): Call {
  return async (name, args = {}) => {
    await computer.write("arguments.json", JSON.stringify(args));
    const { stdout, output } = await inspect(
      `${target} --method tools/call --tool-name ${name} --tool-args-json "$(cat arguments.json)" --format json`,
    );
    expect(stdout, output).toContain("structuredContent");
    return JSON.parse(stdout).result.structuredContent;
  };
}

function inspect(rest: string) {
  return computer.run(`mcp-inspector --cli ${rest}`, { env: INSPECTOR_ENV });
}
