/** What `npm run build-cli` put beside the program: the Worker and all that it needs to run. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { UserError } from "../../src/errors.ts";
import type { Migration } from "./worker.ts";
import { readIfThere } from "./folder.ts";

/** The same from `apps/cli/`, where this file is, and from `dist/cli/`, where its bundle is. */
const root = resolve(import.meta.dirname, "../..");

export const workerFile = join(root, "dist/worker/worker.js");
export const assetsFolder = join(root, "public");

export interface Plan {
  /** Of the Worker and the program. */
  readonly build: string;
  readonly migrations: Migration[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: string[];
  readonly vars: Readonly<Record<string, string>>;
  /** Binding and class. */
  readonly objects: readonly (readonly [string, string])[];
  /** Binding, name and class. */
  readonly workflows: readonly (readonly [string, string, string])[];
  /** Bindings. Their data lies in folders of these names: a deployer's ids in wrangler.jsonc would hide it. */
  readonly kv: readonly string[];
  readonly r2: readonly string[];
  readonly d1: readonly string[];
  readonly assets: {
    readonly binding: string;
    readonly workerPaths: string[];
    readonly filePaths: string[];
  };
}

/** @throws UserError not_found: there was no build */
export function readPlan(): Plan {
  const text = readIfThere(join(root, "dist/plan.json"));
  if (text === null) {
    throw new UserError(
      "not_found",
      "Cofio is not built yet.",
      `Run \`npm run build-cli\` in ${root}.`,
    );
  }
  return JSON.parse(text) as Plan; // written by scripts/build-cli.ts alone
}

export function versionOf(): string {
  const text = readFileSync(join(root, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version; // the package's own
}
