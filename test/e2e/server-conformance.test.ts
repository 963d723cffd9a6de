/** The official suite for servers, both protocol eras, against the real server; a proxy adds the token that the suite does not send. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EXPECTED_FAILURES } from "./support/conformance-expectations.ts";
import { startServer, type Server } from "./support/server.ts";
import { openSignedInProxy, type SignedInProxy } from "./support/signed-in-proxy.ts";

const suite = join(
  dirname(createRequire(import.meta.url).resolve("@modelcontextprotocol/conformance/package.json")),
  "dist/index.js",
);

let server: Server;
let proxy: SignedInProxy;

beforeAll(async () => {
  server = await startServer();
  proxy = await openSignedInProxy(server, await server.token("conformance"));
});

afterAll(async () => {
  await proxy?.close();
  await server?.stop();
});

test("every check of both revisions passes, or is expected to fail for a reviewed reason", async () => {
  const failed = new Set<string>();
  let passed = 0;
  for (const revision of ["2026-07-28", "2025-11-25"]) {
    for (const { scenario, id, status } of await run(revision)) {
      if (status === "SUCCESS") passed += 1;
      if (status !== "FAILURE") continue;
      const whole = `${scenario}/*`;
      failed.add(whole in EXPECTED_FAILURES ? whole : `${scenario}/${id}`);
    }
  }
  expect([...failed].sort()).toEqual(Object.keys(EXPECTED_FAILURES).sort());
  // As many as passed when the list was reviewed: a scenario that stops running must not go unnoticed.
  expect(passed).toBeGreaterThanOrEqual(144);
});

interface Check {
  readonly scenario: string;
  readonly id: string;
  readonly status: string;
}

async function run(revision: string): Promise<Check[]> {
  const output = await mkdtemp(join(tmpdir(), "cofio-conformance-"));
  const child = spawn(
    process.execPath,
    [suite, "server", "--url", proxy.url, "--requirements", revision, "-o", output],
    { stdio: "ignore" },
  );
  await new Promise((ended) => child.once("close", ended));
  const folders = await readdir(output);
  const checks = await Promise.all(
    folders.map(async (folder) => {
      // "server-<scenario>-<date and time>"
      const scenario = /^server-(.*)-\d{4}-\d\d-\d\dT/.exec(folder)?.[1] ?? folder;
      const file = await readFile(join(output, folder, "checks.json"), "utf8");
      // The suite's own format.
      return (JSON.parse(file) as Omit<Check, "scenario">[]).map((check) => ({
        ...check,
        scenario,
      }));
    }),
  );
  await rm(output, { recursive: true, force: true });
  return checks.flat();
}
