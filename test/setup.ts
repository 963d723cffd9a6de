import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

// True because vitest.config.ts binds it; the product's own Env has no such binding.
const { TEST_MIGRATIONS } = env as unknown as {
  TEST_MIGRATIONS: Parameters<typeof applyD1Migrations>[1];
};

await applyD1Migrations(env.DB, TEST_MIGRATIONS);
