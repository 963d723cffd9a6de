/** The official suite for authorization servers, with a person at a browser who allows its client. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, type Browser } from "./support/browser.ts";
import { freePort, startServer, type Server } from "./support/server.ts";

const suite = join(
  dirname(createRequire(import.meta.url).resolve("@modelcontextprotocol/conformance/package.json")),
  "dist/index.js",
);

interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

let server: Server;
let browser: Browser;
let output: string;

beforeAll(async () => {
  [server, browser, output] = await Promise.all([
    startServer(),
    openBrowser(),
    mkdtemp(join(tmpdir(), "cofio-conformance-")),
  ]);
  await browser.signUp(server);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  if (output !== undefined) await rm(output, { recursive: true, force: true });
});

test("the authorization suite passes", async () => {
  const port = await freePort();
  const client = await registerClient(`http://127.0.0.1:${port}/callback`);
  const args = [
    "authorization",
    "--url",
    server.origin,
    "--client-id",
    client,
    "--resource",
    server.mcpUrl,
  ];
  const run = spawn(process.execPath, [suite, ...args, "-p", String(port), "-o", output], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  let isAllowed = false;
  const read = (chunk: unknown): void => {
    printed += String(chunk);
    // It prints the address that a person is to open.
    const address = /https?:\/\/\S+\/authorize\?\S+/.exec(printed)?.[0];
    if (address === undefined || isAllowed) return;
    isAllowed = true;
    void allow(address);
  };
  run.stdout.on("data", read);
  run.stderr.on("data", read);
  const code = await new Promise<number | null>((ended) => run.once("close", ended));
  const checks = await readChecks(output);
  expect(
    checks.filter(({ status }) => status === "FAILURE"),
    printed,
  ).toEqual([]);
  expect(
    checks.filter(({ status }) => status === "SUCCESS").length,
    printed,
  ).toBeGreaterThanOrEqual(3);
  expect(code, printed).toBe(0);
});

async function allow(address: string): Promise<void> {
  await browser.page.goto(address);
  await browser.page.getByRole("button", { name: "Allow", exact: true }).click();
}

async function registerClient(redirectUri: string): Promise<string> {
  const response = await fetch(`${server.origin}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "Conformance suite",
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code", "refresh_token"],
      token_endpoint_auth_method: "none",
    }),
  });
  return ((await response.json()) as { client_id: string }).client_id; // RFC 7591 §3.2.1
}

async function readChecks(folder: string): Promise<Check[]> {
  const files = (await readdir(folder, { recursive: true })).filter((name) =>
    name.endsWith("checks.json"),
  );
  const lists = await Promise.all(
    files.map(async (name) => JSON.parse(await readFile(join(folder, name), "utf8")) as Check[]), // the suite's format
  );
  return lists.flat();
}
