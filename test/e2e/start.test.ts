import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort, runStart, type Server, startServer } from "./support/server.ts";

const tokenScript = resolve(import.meta.dirname, "../../scripts/token.ts");

let server: Server;
beforeAll(async () => {
  server = await startServer({ isFirst: true });
});
afterAll(() => server.stop());

test("start prints what to do next", () => {
  const logs = server.logs();
  expect(logs).toContain(`Page      ${server.origin}`);
  expect(logs).toContain(`MCP URL   ${server.mcpUrl}`);
  expect(logs).toContain(`claude mcp add --transport http --scope user cofio ${server.mcpUrl}`);
  expect(logs).toContain(`PORT=${server.port} npm run --silent token -- --user test`);
});

test("start makes the secrets once, readable by their owner alone", async () => {
  const made = await readFile(server.secrets, "utf8");
  expect(made.split("\n").map((line) => line.split("=")[0])).toEqual([
    "VAULT_KEY",
    "AUTH_SECRET",
    "SETUP_CODE",
    "LOCAL_TOKENS",
    "",
  ]);
  expect((await stat(server.secrets)).mode & 0o777).toBe(0o600);
  expect(server.logs()).not.toContain(made.split("\n")[0]?.slice("VAULT_KEY=".length));
});

test("/healthz says ok and no more", async () => {
  const response = await fetch(`${server.origin}/healthz`);
  expect(response.status).toBe(200);
  expect(await response.text()).toBe('{"ok":true}');
});

test("another Host than that of PUBLIC_ORIGIN is refused", async () => {
  expect((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status).toBe(403);
  expect(await statusWithHost(server.port, "evil.example")).toBe(403);
});

test("wrangler's pages on the local databases are closed", async () => {
  const explorer = await fetch(`${server.origin}/cdn-cgi/local/explorer/`);
  expect(explorer.status).toBe(404);
});

test("the token script prints one line, and the same user every time", async () => {
  const first = await runToken(["--user", "ada"]);
  const second = await runToken(["--user", "ada", "--scopes", "memories:read"]);
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toMatch(/^cofio_[a-z0-9]+_[a-z0-9]+\n$/);
  expect(second.stdout.split("_")[1]).toBe(first.stdout.split("_")[1]);
});

test("the token script says what is wrong", async () => {
  const port = String(await freePort());
  expect(await runToken(["--user", "ada"], { PORT: port })).toMatchObject({
    code: 1,
    stdout: "",
    stderr: `No Cofio answers on http://localhost:${port}. Start it with: npm start\n`,
  });
  expect(await runToken([])).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("--user NAME"),
  });
});

test("what was saved is there after every process was killed", async () => {
  const token = await server.token("grace");
  const saved = await callTool(token, "save_memory", { content: "Grace keeps bees on the roof" });
  expect(saved).toMatchObject({ outcome: "created" });
  await server.restart();
  const found = await callTool(token, "search_memory", { query: "bees" });
  expect(found).toMatchObject({ results: [{ content: "Grace keeps bees on the roof" }] });
});

test("no process outlives a start script that was killed", async () => {
  const other = await startServer();
  const [start, ...others] = other.processes();
  expect(others.length).toBeGreaterThan(2);
  process.kill(start ?? Number.NaN, "SIGKILL");
  await expect.poll(() => other.processes(), { timeout: 5_000 }).toEqual([]);
  await other.stop();
});

test("a taken port is said in a sentence", async () => {
  const { code, output } = await runStart({ ...ownFolder(server), PORT: String(server.port) });
  expect(output).toBe(
    `Port ${server.port} cannot be used (EADDRINUSE). Stop what listens there, or choose another: PORT=26347 npm start\n`,
  );
  expect(code).toBe(1);
});

test("a data folder that cannot be written is said in a sentence", async () => {
  const { code, output } = await runStart({ ...ownFolder(server), COFIO_STATE: "/dev/null/cofio" });
  expect(output).toMatch(
    /^The data folder \/dev\/null\/cofio cannot be written \(ENOTDIR\)\..*\n$/,
  );
  expect(code).toBe(1);
});

test.each([
  ["VAULT_KEY", "short"],
  ["AUTH_SECRET", ""],
])("a malformed %s stops the server and names it", async (name, value) => {
  const state = await mkdtemp(join(tmpdir(), "cofio-"));
  const secrets = join(state, ".dev.vars");
  await writeFile(secrets, `${name}=${value}\n`);
  const { code, output } = await runStart({
    PORT: String(await freePort()),
    COFIO_STATE: state,
    COFIO_SECRETS: secrets,
  });
  expect(output).toContain("Cofio cannot start: ");
  expect(output).toContain(`${name} is`);
  expect(output).toContain("openssl rand -base64 32");
  expect(code).toBe(1);
  await rm(state, { recursive: true });
});

test.each([
  ["missing", /^VAULT_KEY=.*\n/, "", "VAULT_KEY is missing in "],
  [
    "replaced",
    /^VAULT_KEY=.*\n/,
    `VAULT_KEY=${"A".repeat(43)}=\n`,
    "is encrypted under another VAULT_KEY than the one in ",
  ],
])("data whose VAULT_KEY is %s is not served", async (_, line, replacement, sentence) => {
  const secrets = join(server.state, "changed.vars");
  await writeFile(secrets, (await readFile(server.secrets, "utf8")).replace(line, replacement));
  const { code, output } = await runStart({
    PORT: String(await freePort()),
    COFIO_STATE: server.state,
    COFIO_SECRETS: secrets,
  });
  expect(output).toContain(sentence);
  expect(output.trim().split("\n")).toHaveLength(1);
  expect(code).toBe(1);
});

function ownFolder({ state, secrets }: Server): Record<string, string> {
  return { COFIO_STATE: state, COFIO_SECRETS: secrets };
}

async function runToken(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const run = promisify(execFile)(process.execPath, [tokenScript, ...args], {
    env: { ...process.env, PORT: String(server.port), ...env },
  });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error, // as execFile documents it
  );
}

/** `fetch` does not let a caller choose the Host. */
function statusWithHost(port: number, host: string): Promise<number | undefined> {
  return new Promise((done, fail) => {
    request({ port, host: "localhost", path: "/healthz", headers: { host } }, (response) => {
      response.resume();
      done(response.statusCode);
    })
      .on("error", fail)
      .end();
  });
}

/** The smallest client there is: one request of the protocol without sessions. */
async function callTool(token: string, name: string, args: unknown): Promise<unknown> {
  const response = await fetch(server.mcpUrl, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name, arguments: args },
    }),
  });
  const text = await response.text();
  const data = /^data: (\{.*)$/m.exec(text)?.[1] ?? text;
  const { result } = JSON.parse(data) as { result: { structuredContent: unknown } }; // else the expectation shows it
  return result.structuredContent;
}
