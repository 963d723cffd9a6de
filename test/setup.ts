import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { enforceCryptoLimits, enforceD1Limits } from "./support/production.ts";

// True because vitest.config.ts binds it; the product's own Env has no such binding.
const { TEST_MIGRATIONS } = env as unknown as {
  TEST_MIGRATIONS: Parameters<typeof applyD1Migrations>[1];
};

await applyD1Migrations(env.DB, TEST_MIGRATIONS);
enforceD1Limits(env.DB);
enforceCryptoLimits();

// The same cases on every run, so that a failure belongs to a change. Another seed searches further, and is worth it now and then.
fc.configureGlobal({ seed: 20_261_122 });
