/**
 * `npm run build`: the scripts of the pages, made from `apps/` into `public/assets/`. wrangler runs it before it starts, deploys or measures
 * anything (`build` in wrangler.jsonc); with nothing changed it takes 0.1 s.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { changedAt } from "./changed-at.ts";
import { root } from "./wrangler.ts";

/** `reader` is the Web Worker that `page` starts. */
const ENTRIES = {
  page: join(root, "apps/import/page.tsx"),
  reader: join(root, "apps/import/reader.ts"),
};
/** All that a bundle can be made of. */
const SOURCES = ["apps", "src", "scripts/build.ts", "package.json", "package-lock.json"];
const folder = join(root, "public/assets/import");
const apiFolder = join(root, "public/assets/api");
/** Written last. */
const stampFile = join(folder, "page.js");

if (changedAt(stampFile) < Math.max(...SOURCES.map((path) => changedAt(join(root, path))))) {
  await build();
}

async function build(): Promise<void> {
  // Loading it takes longer than all the rest, and mostly there is nothing to build.
  const vite = await import("vite");
  const built = await vite.build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    // Both sides share components: the server makes text of them, a browser elements.
    oxc: { jsx: { runtime: "automatic", importSource: "hono/jsx/dom" } },
    build: {
      write: false,
      target: "es2024",
      modulePreload: false,
      rolldownOptions: {
        input: ENTRIES,
        output: { entryFileNames: "[name].js", chunkFileNames: "[name].js" },
      },
    },
  });
  if (!("output" in built)) throw new Error("vite.build was to build once, for one target");
  const isStamp = (name: string) => Number(join(folder, name) === stampFile);
  const chunks = built.output
    .filter((file) => file.type === "chunk")
    .sort((one, other) => isStamp(one.fileName) - isStamp(other.fileName));
  const { makeApiDocument } = await import("../src/http/openapi/document.ts");
  write(apiFolder, "openapi.json", JSON.stringify(makeApiDocument()));
  for (const { fileName, code } of chunks) write(folder, fileName, code);
  const names = new Set(chunks.map(({ fileName }) => fileName));
  for (const name of readdirSync(folder)) {
    if (!names.has(name)) rmSync(join(folder, name), { force: true });
  }
}

/** In one step: a server that runs may serve the file meanwhile, and another start may build it too. */
function write(into: string, name: string, text: string): void {
  mkdirSync(into, { recursive: true });
  const draft = join(into, `.${name}.${process.pid}`);
  writeFileSync(draft, text);
  renameSync(draft, join(into, name));
}
