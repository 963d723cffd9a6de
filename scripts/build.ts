/**
 * `npm run build`: the scripts of the pages, made from `apps/` into `public/assets/`. wrangler runs it before it starts, deploys or measures
 * anything (`build` in wrangler.jsonc); with nothing changed it takes 0.1 s.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { InlineConfig } from "vite";
import { changedAt } from "./changed-at.ts";
import { root } from "./wrangler.ts";

interface Bundle {
  /** Under `public/assets/`. */
  readonly folder: string;
  readonly entries: Readonly<Record<string, string>>;
  /** Of what is loaded when it is needed. */
  readonly chunkNames: string;
  /** What is loaded with the entry, and keeps its name. */
  readonly shared?: RegExp;
}

/**
 * What the dashboard's entry needs together with its pages would be a file that a browser learns of only from the entry: this one is named in
 * the document beside the entry (`src/auth/dashboard.tsx`).
 */
const SHARED = "shared";
/** Of the bundler, which keeps it apart: a few lines that `shared` needs. */
const RUNTIME = "rolldown-runtime";

const BUNDLES: readonly Bundle[] = [
  {
    folder: "import",
    // The Web Worker that the import page starts. A bundle of its own: of the dashboard it shares no more than a few lines.
    entries: { reader: "apps/import/reader.ts" },
    chunkNames: "[name].js",
  },
  {
    folder: "dashboard",
    entries: { main: "apps/dashboard/main.tsx" },
    // Kept by browsers for good (`public/_headers`). What keeps its name, which the Worker knows, is asked for anew each time.
    chunkNames: "chunks/[name]-[hash].js",
    shared:
      /node_modules[\\/](?:react|react-dom|scheduler)[\\/]|vite[\\/]preload-helper|shell[\\/]icon/,
  },
];
/** All that a bundle can be made of. */
const SOURCES = ["apps", "src", "scripts/build.ts", "package.json", "package-lock.json"];
const DRAFT = ".draft.";
/** A start that is writing one takes milliseconds; one that crashed leaves it behind. Arbitrary. */
const DRAFT_MS = 60_000;
const assets = join(root, "public/assets");
/** Written last. */
const stampFile = join(assets, "dashboard/main.js");

if (changedAt(stampFile) < Math.max(...SOURCES.map((path) => changedAt(join(root, path))))) {
  await build();
}

async function build(): Promise<void> {
  const { makeApiDocument } = await import("../src/http/openapi/document.ts");
  write(join(assets, "api/openapi.json"), JSON.stringify(makeApiDocument()));
  for (const bundle of BUNDLES) {
    const folder = join(assets, bundle.folder);
    const files = await filesOf(bundle);
    for (const name of bundle.shared === undefined ? [] : [SHARED, RUNTIME]) {
      if (!files.some(([file]) => file === `${name}.js`)) {
        throw new Error(`The document names ${name}.js, and the bundle has no such file any more`);
      }
    }
    // What is named in the entry is there before it.
    const isStamp = (name: string) => Number(join(folder, name) === stampFile);
    for (const [name, text] of files.sort(([one], [other]) => isStamp(one) - isStamp(other))) {
      write(join(folder, name), text);
    }
    removeOthers(folder, new Set(files.map(([name]) => name)));
  }
}

async function filesOf(bundle: Bundle): Promise<[name: string, content: string | Uint8Array][]> {
  // Loading it takes longer than all the rest, and mostly there is nothing to build.
  const vite = await import("vite");
  const built = await vite.build(configOf(bundle));
  if (!("output" in built)) throw new Error("vite.build was to build once, for one target");
  return built.output.map((file) => [
    file.fileName,
    file.type === "chunk" ? file.code : file.source,
  ]);
}

function configOf({ folder, entries, chunkNames, shared }: Bundle): InlineConfig {
  return {
    root,
    base: `/assets/${folder}/`,
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    // Whatever NODE_ENV says: tests build too, and React would come with all its warnings.
    define: { "process.env.NODE_ENV": '"production"' },
    oxc: { jsx: { runtime: "automatic", importSource: "react", development: false } },
    build: {
      write: false,
      target: "es2024",
      // What a page needs is asked for with the page, not when it has come. Browsers that cannot do without; a Web Worker has no document to ask.
      modulePreload: shared === undefined ? false : { polyfill: false },
      // One file for all pages: it is small, and the document names it.
      cssCodeSplit: false,
      rolldownOptions: {
        // "use client" is for servers that render React.
        onLog: (level, log, report) => {
          if (log.code !== "MODULE_LEVEL_DIRECTIVE") report(level, log);
        },
        input: Object.fromEntries(
          Object.entries(entries).map(([name, path]) => [name, join(root, path)]),
        ),
        output: {
          entryFileNames: "[name].js",
          chunkFileNames: ({ name }) =>
            name === SHARED || name === RUNTIME ? "[name].js" : chunkNames,
          codeSplitting: shared === undefined || { groups: [{ name: SHARED, test: shared }] },
          // Files that keep their names may come from two builds in the middle of a deployment: what they take from each other keeps its name too.
          minifyInternalExports: false,
          assetFileNames: "main[extname]",
        },
      },
    },
  };
}

/** In one step: a server that runs may serve the file meanwhile, and another start may build it too. */
function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = join(dirname(path), `${DRAFT}${process.pid}`);
  writeFileSync(draft, content);
  renameSync(draft, path);
}

function removeOthers(folder: string, names: ReadonlySet<string>): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.name.startsWith(DRAFT) && isYoung(path)) continue;
    if (entry.isFile() && !names.has(relative(folder, path))) rmSync(path, { force: true });
  }
}

function isYoung(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs < DRAFT_MS;
}
