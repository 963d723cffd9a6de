import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** As many random cases as a release is tried with (test/support/runs.ts). */
const isRelease = process.env["COFIO_RELEASE"] === "1";

/** Each file has a workerd or servers of its own. By default one core would stay idle. */
const maxWorkers = "100%";

export default defineConfig({
  test: {
    projects: [
      {
        // Everything that runs inside workerd, on real D1, R2, KV and Durable Objects.
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: "./wrangler.jsonc" },
            miniflare: {
              bindings: {
                VAULT_KEY: "dGVzdCB2YXVsdCBrZXksIG5vdCBhIHNlY3JldCAhISE=",
                AUTH_SECRET: "test auth secret, which is not a secret",
                SETUP_CODE: "test-setup-code",
                // test/http/limits.test.ts sets its own.
                LIMITS: "none",
                LOCAL_TOKENS: "1",
                TEST_MIGRATIONS: await readD1Migrations("./migrations"),
                SYNC_RUNS: process.env["SYNC_RUNS"] ?? (isRelease ? "1000" : "5"),
                SYNC_SEED: process.env["SYNC_SEED"] ?? "",
              },
            },
          })),
        ],
        test: {
          name: "worker",
          // From its cache vitest sends a test file's whole graph of modules as one message, with source maps; workerd takes 32 MiB, and ends
          // the connection of a larger one ("Worker exited unexpectedly").
          fsModuleCache: false,
          provide: { isRelease },
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/faults/kill/**", "test/clients/**"],
          setupFiles: ["./test/setup.ts"],
          maxWorkers,
          // The first request of an isolate transforms better-auth; a machine with one slow core takes its time.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Real servers, real clients, a real browser.
        test: {
          name: "e2e",
          provide: { isRelease },
          include: [
            "test/e2e/**/*.test.ts",
            "test/faults/kill/*.test.ts",
            // Node unzips otherwise than workerd.
            "test/transfer/unzip.test.ts",
          ],
          environment: "node",
          maxWorkers,
          globalSetup: ["./test/e2e/support/before-all.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
