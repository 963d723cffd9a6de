/**
 * `npm run build-cli`: the program `cofio` as any Node runs it, in `dist/`: its own code in plain JavaScript, the Worker as wrangler would
 * deploy it (with `apps/cli/worker.ts` as its door), and what wrangler.jsonc and `migrations/` say of it.
 */
import { readD1Migrations } from "@cloudflare/vitest-plugin";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unstable_readConfig as readConfig } from "wrangler";
import * as z from "zod";
import type { Plan } from "../apps/cli/plan.ts";
import { changedAt } from "./changed-at.ts";
import { root, wrangler } from "./wrangler.ts";

const folder = join(root, "dist");
/** Written last: what it is newer than is in it. */
const planFile = join(folder, "plan.json");
/** All that the program can be made of. */
const SOURCES = [
  "apps/cli",
  "apps/doctor",
  "apps/import",
  "src",
  "migrations",
  "scripts",
  "wrangler.jsonc",
  "package-lock.json",
];

const named = z.array(z.object({ binding: z.string() }));
const configSchema = z.object({
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
  vars: z.record(z.string(), z.string()),
  durable_objects: z.object({
    bindings: z.array(z.object({ name: z.string(), class_name: z.string() })),
  }),
  workflows: z.array(z.object({ binding: z.string(), name: z.string(), class_name: z.string() })),
  kv_namespaces: named,
  r2_buckets: named,
  d1_databases: named,
  assets: z.object({ binding: z.string(), run_worker_first: z.array(z.string()) }),
});
if (changedAt(planFile) < Math.max(...SOURCES.map((path) => changedAt(join(root, path))))) {
  rmSync(planFile, { force: true });
  mkdirSync(folder, { recursive: true });
  await Promise.all([buildWorker(), buildProgram()]);
  writeFileSync(planFile, JSON.stringify(await readPlan()));
}

async function buildWorker(): Promise<void> {
  const out = join(folder, "worker");
  rmSync(out, { recursive: true, force: true });
  const entry = join(root, "apps/cli/worker.ts");
  const { code, output } = await wrangler([
    "deploy",
    entry,
    "--dry-run",
    "--minify",
    "--outdir",
    out,
  ]);
  if (code !== 0) throw new Error(`wrangler does not build the Worker:\n${output}`);
  // Four times the Worker, and nothing reads it.
  rmSync(join(out, "worker.js.map"), { force: true });
}

async function buildProgram(): Promise<void> {
  const vite = await import("vite");
  await vite.build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    ssr: { noExternal: true, external: ["miniflare"] },
    build: {
      ssr: true,
      outDir: join(folder, "cli"),
      emptyOutDir: true,
      target: "node22",
      rolldownOptions: {
        input: { main: join(root, "apps/cli/main.ts") },
        output: { entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
      },
    },
  });
}

async function readPlan(): Promise<Plan> {
  const config = configSchema.parse(readConfig({ config: join(root, "wrangler.jsonc") }));
  const paths = config.assets.run_worker_first;
  const migrations = await readD1Migrations(join(root, "migrations"));
  const names = (bindings: z.infer<typeof named>) => bindings.map(({ binding }) => binding);
  return {
    build: hashOf([join(folder, "worker"), join(folder, "cli")]),
    migrations: migrations.map(({ name, queries }) => ({ name, queries })),
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    vars: config.vars,
    objects: config.durable_objects.bindings.map((one) => [one.name, one.class_name]),
    workflows: config.workflows.map((one) => [one.binding, one.name, one.class_name]),
    kv: names(config.kv_namespaces),
    r2: names(config.r2_buckets),
    d1: names(config.d1_databases),
    assets: {
      binding: config.assets.binding,
      workerPaths: paths.filter((path) => !path.startsWith("!")),
      filePaths: paths.filter((path) => path.startsWith("!")).map((path) => path.slice(1)),
    },
  };
}

function hashOf(folders: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of folders) {
    for (const name of readdirSync(path).sort()) hash.update(readFileSync(join(path, name)));
  }
  return hash.digest("hex").slice(0, 16);
}
