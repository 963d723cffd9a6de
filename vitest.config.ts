import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

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
                LOCAL_TOKENS: "1",
                TEST_MIGRATIONS: await readD1Migrations("./migrations"),
                SYNC_RUNS: process.env["SYNC_RUNS"] ?? "12",
                SYNC_SEED: process.env["SYNC_SEED"] ?? "",
              },
            },
          })),
        ],
        test: {
          name: "worker",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**"],
          setupFiles: ["./test/setup.ts"],
          // Each file has its own workerd; by default one core would stay idle.
          maxWorkers: "100%",
          // The first request of an isolate transforms better-auth.
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        // Real servers, real clients, a real browser.
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          environment: "node",
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
