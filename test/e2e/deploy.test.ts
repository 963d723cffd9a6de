import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Checkout, DEPLOYED_ORIGIN, newCheckout } from "./support/cloudflare-double.ts";
import { startServer, type Server } from "./support/server.ts";

const root = resolve(import.meta.dirname, "../..");
let server: Server;
let checkout: Checkout;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  checkout = await newCheckout(server);
});
afterEach(() => checkout?.remove());

const UPLOAD = "deploy";
const UPLOAD_THERE = `deploy PUBLIC_ORIGIN:${DEPLOYED_ORIGIN}`;
const MIGRATE = "d1 migrations apply DB";
const BEFORE = ["whoami", "secret list"];

test("a dry run of deploy builds the Worker and says what a deployment would do", async () => {
  const { code, stdout } = await runDeploy(["--dry-run", "--origin", "https://memory.example/"]);
  expect(stdout).toContain("env.USERS (UserAgent)");
  expect(stdout).toContain('env.LOCAL_TOKENS ("")');
  expect(stdout).toContain("upload the Worker, with PUBLIC_ORIGIN https://memory.example\n");
  expect(stdout).toContain("wrangler rollback");
  expect(code).toBe(0);
});

test("deploy refuses an origin that clients could not use", async () => {
  for (const origin of ["http://memory.example", "https://memory.example/path", "memory.example"]) {
    expect(await runDeploy(["--dry-run", "--origin", origin])).toEqual({
      code: 1,
      stdout: "",
      stderr: `--origin must look like https://cofio.example.com, not "${origin}".\n`,
    });
  }
});

test("a first deployment makes the secrets, tells the Worker its address, migrates, walks the way of the clients and says what to do", async () => {
  const { code, stdout, stderr } = await checkout.deploy();
  expect([code, stderr]).toEqual([0, ""]);
  // The first upload makes the database and tells the address, the second one knows it.
  expect(await checkout.told()).toEqual([...BEFORE, UPLOAD, UPLOAD_THERE, MIGRATE]);
  const { secrets, vars } = await checkout.account();
  expect(Object.keys(secrets)).toEqual(["VAULT_KEY", "AUTH_SECRET", "SETUP_CODE"]);
  expect(Buffer.from(secrets["VAULT_KEY"] ?? "", "base64")).toHaveLength(32);
  expect(vars).toEqual([`PUBLIC_ORIGIN:${DEPLOYED_ORIGIN}`]);
  expect(stdout).toContain("✓ token endpoint");
  expect(stdout).not.toContain("✗");
  expect(stdout).toContain(`MCP URL       ${DEPLOYED_ORIGIN}/mcp`);
  expect(stdout).toContain(secrets["SETUP_CODE"]);
  expect(stdout).not.toContain(secrets["VAULT_KEY"]);
});

test("repeated, it keeps every secret, and migrates before it uploads once", async () => {
  await checkout.deploy();
  const before = await checkout.account();
  const { code, stdout } = await checkout.deploy();
  expect(code).toBe(0);
  expect(await checkout.told()).toEqual([...BEFORE, MIGRATE, UPLOAD_THERE]);
  expect(await checkout.account()).toEqual(before);
  expect(stdout).toContain("the one of the first deployment");
});

test("one that stopped half-way goes on with the secrets that it had made", async () => {
  expect((await checkout.deploy([], { FAILING: "d1" })).code).toBe(1);
  const { secrets } = await checkout.account();
  expect((await checkout.deploy()).code).toBe(0);
  expect((await checkout.account()).secrets).toEqual(secrets);

  await checkout.setAccount({ isDeployed: false, secrets: {}, vars: [] });
  expect((await checkout.deploy([], { FAILING: "deploy" })).code).toBe(1);
  expect((await checkout.deploy()).code).toBe(0);
  expect((await checkout.account()).secrets).toEqual(secrets);
});

test("no second VAULT_KEY is made for a Worker that has lost its own, and nothing at all when secrets cannot be listed", async () => {
  const secrets = { AUTH_SECRET: "a", SETUP_CODE: "b" };
  await checkout.setAccount({ isDeployed: true, secrets, vars: [] });
  const lost = await checkout.deploy(["--origin", DEPLOYED_ORIGIN]);
  expect([lost.code, await checkout.told()]).toEqual([1, BEFORE]);
  expect(lost.stderr).toContain("wrangler secret put VAULT_KEY");
  const unknown = await checkout.deploy(["--origin", DEPLOYED_ORIGIN], { FAILING: "secret" });
  expect([unknown.code, await checkout.told()]).toEqual([1, BEFORE]);
  expect((await checkout.account()).secrets).toEqual(secrets);
});

test("a build at Cloudflare takes the secrets that the person gave, keeps no file, and learns its address", async () => {
  const CI = { WORKERS_CI: "1" };
  await checkout.setAccount({ isDeployed: true, secrets: {}, vars: [] });
  const lacking = await checkout.deploy([], CI);
  expect([lacking.code, await checkout.told()]).toEqual([1, BEFORE]);
  expect(lacking.stderr).toContain("VAULT_KEY, AUTH_SECRET, SETUP_CODE");

  const secrets = { VAULT_KEY: "a", AUTH_SECRET: "b", SETUP_CODE: "c" };
  await checkout.setAccount({ isDeployed: false, secrets: {}, vars: [] });
  expect((await checkout.deploy([], { ...CI, ...secrets })).code).toBe(0);
  expect((await checkout.account()).secrets).toEqual(secrets);

  await checkout.setAccount({ isDeployed: true, secrets, vars: [] });
  const first = await checkout.deploy([], CI);
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toContain(`COFIO_ORIGIN to ${DEPLOYED_ORIGIN}`);
  expect(await checkout.told()).toEqual([...BEFORE, MIGRATE, UPLOAD, UPLOAD_THERE]);
  expect(await readdir(checkout.path)).not.toContain(".cofio-deploy.json");
  expect((await checkout.deploy([], { ...CI, COFIO_ORIGIN: DEPLOYED_ORIGIN })).code).toBe(0);
  expect(await checkout.told()).toEqual([...BEFORE, MIGRATE, UPLOAD_THERE]);
});

async function runDeploy(
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = resolve(root, "scripts/deploy.ts");
  return promisify(execFile)(process.execPath, [script, ...args]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    // As execFile documents it.
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      stdout,
      stderr,
    }),
  );
}
