/** `npm run size`: how large the deployed Worker is, how long an isolate works before its first request, and what a browser loads first. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { root, wrangler } from "./wrangler.ts";

/** Free plans take 3 MB. The rest is room for what is not built yet. */
const MAX_GZIP_KIB = 800;
/** Cloudflare allows 1 s; what counts is that a cold isolate answers without a noticeable wait. */
const MAX_STARTUP_MS = 120;
/** JavaScript and CSS of the dashboard's home page, a budget of our own: a second on a slow phone line. */
const MAX_FIRST_LOAD_KIB = 260;
/** Other work on the machine only ever adds to a measurement: the lowest is the best estimate. */
const STARTUP_RUNS = 5;
/** Under `public/assets/`: what the document names (`src/auth/dashboard.tsx`). */
const DOCUMENT = [
  "tokens.css",
  "controls.css",
  "mode.js",
  "dashboard/main.css",
  "dashboard/main.js",
  "dashboard/shared.js",
  "dashboard/rolldown-runtime.js",
];
/** What follows it some seconds afterwards (`apps/dashboard/shell/use-later.ts`). */
const LATER = ["drawer", "shortcut-list", "toast-list"];
/** With names or without; not one that is asked for later. */
const IMPORT = /\b(?:from|import)["'`](\.[^"'`]+)["'`]/g;

const folder = mkdtempSync(join(tmpdir(), "cofio-size-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const bundle = join(folder, "worker.bundle");

const gzipKib = await measureBundle();
const startups: number[] = [];
for (let run = 0; run < STARTUP_RUNS; run++) startups.push(await measureStartup());
const startupMs = Math.min(...startups);
const firstLoadKib = measureLoad(["home"]);
const laterKib = measureLoad(["home", ...LATER]);

console.log(`Bundle    ${gzipKib} KiB gzip, limit ${MAX_GZIP_KIB}`);
console.log(
  `Start-up  ${startupMs} ms active CPU, limit ${MAX_STARTUP_MS} (lowest of ${startups.join(", ")})`,
);
console.log(
  `Dashboard ${firstLoadKib} KiB gzip at first, limit ${MAX_FIRST_LOAD_KIB}; with what comes a little later ${laterKib}`,
);
const isWithin =
  gzipKib <= MAX_GZIP_KIB && startupMs <= MAX_STARTUP_MS && firstLoadKib <= MAX_FIRST_LOAD_KIB;
if (!isWithin) process.exit(1);

/** What the document names, and chunks with all that they import; built by the bundling of the Worker before. */
function measureLoad(names: readonly string[]): number {
  const assets = join(root, "public/assets");
  const chunks = readdirSync(join(assets, "dashboard/chunks"));
  const files = new Set(DOCUMENT.map((name) => join(assets, name)));
  for (const name of names) {
    const chunk = chunks.find((file) => file.startsWith(`${name}-`));
    if (chunk === undefined) throw new Error(`There is no longer a chunk of its own for ${name}`);
    files.add(join(assets, "dashboard/chunks", chunk));
  }
  let bytes = 0;
  for (const file of files) {
    const content = readFileSync(file);
    bytes += gzipSync(content).length;
    if (!file.endsWith(".js")) continue;
    for (const [, path = ""] of content.toString().matchAll(IMPORT)) {
      files.add(join(dirname(file), path));
    }
  }
  return Math.round(bytes / 102.4) / 10;
}

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
