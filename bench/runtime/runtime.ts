/** workerd with the benchmarks' own Worker and an empty database with the product's tables, in a temporary folder. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createTestHarness, unstable_readConfig, type TestHarness } from "wrangler";
import { offlineEnv, root } from "../../scripts/wrangler.ts";
import { inTemporaryFolder } from "../support/temporary-folder.ts";
import type { Calls } from "./worker.ts";

/** @param measure is given the object that runs the product's functions; its data is gone afterwards */
export function withRuntime(measure: (bench: Calls) => Promise<void>): Promise<void> {
  Object.assign(process.env, offlineEnv);
  // The harness keeps its data where the system keeps temporary files.
  return inTemporaryFolder(async () => {
    const harness = createTestHarness({
      workers: [
        {
          configPath: join(import.meta.dirname, "wrangler.jsonc"),
          vars: {
            ...unstable_readConfig({ config: join(root, "wrangler.jsonc") }).vars,
            // Nothing here is metered.
            PLAN: "paid",
            LIMITS: "none",
            // The most that rules may allow.
            MEMORY_RULES: '{"max_memories": 1000000}',
          },
          secrets: { VAULT_KEY: randomBytes(32).toString("base64") },
        },
      ],
    });
    try {
      await harness.listen();
      await harness.getWorker().applyD1Migrations("DB");
      await measure(callsOver(harness));
    } finally {
      await harness.close();
    }
  });
}

/** Every method of the object as a request to it. */
function callsOver(harness: TestHarness): Calls {
  const methods = new Proxy(
    {},
    {
      get:
        (_, method) =>
        async (...args: unknown[]) => {
          const body = JSON.stringify({ method, args });
          const response = await harness.fetch("/", { method: "POST", body });
          if (!response.ok) throw new Error(`${String(method)}: ${await response.text()}`);
          return response.json();
        },
    },
  );
  return methods as Calls; // true because the object takes the call of each of its methods
}
