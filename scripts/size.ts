/** `npm run size`: how large the deployed Worker is, and how long an isolate works before its first request. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wrangler } from "./wrangler.ts";

/** Free plans take 3 MB. The rest is room for what is not built yet. */
const MAX_GZIP_KIB = 800;
/** Cloudflare allows 1 s; what counts is that a cold isolate answers without a noticeable wait. */
const MAX_STARTUP_MS = 120;
/** Other work on the machine only ever adds to a measurement: the lowest is the best estimate. */
const STARTUP_RUNS = 5;

const folder = mkdtempSync(join(tmpdir(), "cofio-size-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const bundle = join(folder, "worker.bundle");

const gzipKib = await measureBundle();
const startups: number[] = [];
for (let run = 0; run < STARTUP_RUNS; run++) startups.push(await measureStartup());
const startupMs = Math.min(...startups);

console.log(`Bundle    ${gzipKib} KiB gzip, limit ${MAX_GZIP_KIB}`);
console.log(
  `Start-up  ${startupMs} ms active CPU, limit ${MAX_STARTUP_MS} (lowest of ${startups.join(", ")})`,
);
if (gzipKib > MAX_GZIP_KIB || startupMs > MAX_STARTUP_MS) process.exit(1);

/** As deployed, and as `check startup` wants it: it ignores the configuration and takes a finished bundle. */
async function measureBundle(): Promise<number> {
  const { output } = await run(["deploy", "--dry-run", "--minify", "--outfile", bundle]);
  return numberIn(output, /gzip: ([\d.]+) KiB/);
}

async function measureStartup(): Promise<number> {
  const profile = join(folder, "startup.cpuprofile");
  const { output } = await run(["check", "startup", "--worker", bundle, "--outfile", profile]);
  return numberIn(output, /Active: ([\d.]+) ms/);
}

async function run(args: readonly string[]): Promise<{ output: string }> {
  const finished = await wrangler(args);
  if (finished.code !== 0)
    throw new Error(`wrangler ${args.join(" ")} failed:\n${finished.output}`);
  return finished;
}

function numberIn(output: string, pattern: RegExp): number {
  const found = pattern.exec(output)?.[1];
  if (found === undefined) throw new Error(`wrangler no longer prints ${pattern}:\n${output}`);
  return Number(found);
}
