/**
 * One workerd writes an index, another of next month asks it, and Node and browsers read along: each has a Unicode version of its
 * own. What they make of a text must be the same tokens.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { createTestHarness } from "wrangler";
import { wrangler } from "../../scripts/wrangler.ts";
import { openBrowser } from "./support/browser.ts";
import type { answer, Question } from "./support/tokenizer-strings.ts";
import { runs } from "../support/runs.ts";

const STRINGS = runs(100_000, 1_000_000);
const CHUNK = 50_000;

interface Runtime {
  readonly name: string;
  readonly ask: (question: Question) => Promise<ReturnType<typeof answer>>;
}

const toClose: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of toClose.toReversed()) await close();
});

// A million take about 45 s on two idle cores.
test(
  "Node, workerd and Chromium make the same tokens of hostile strings, a million before a release",
  { timeout: 300_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "cofio-tokenizer-"));
    toClose.push(() => rm(folder, { recursive: true }));
    const bundle = await bundleInto(folder);
    const runtimes = [node(bundle), ...(await Promise.all([workerd(folder), chromium(bundle)]))];

    const chunks = Array.from({ length: STRINGS / CHUNK }, (_, at) => at * CHUNK);
    const hashes = await Promise.all(
      runtimes.map(async ({ ask }) => {
        const found: Awaited<ReturnType<typeof ask>>[] = [];
        for (const first of chunks) found.push(await ask({ kind: "hash", first, count: CHUNK }));
        return found;
      }),
    );
    const differing = chunks.findIndex((_, at) => new Set(hashes.map((all) => all[at])).size > 1);
    if (differing >= 0) expect(await firstDifference(runtimes, chunks[differing] ?? 0)).toBeNull();
    expect(new Set(hashes[0]).size).toBe(chunks.length);
  },
);

/** The first string of a chunk that is not the same everywhere: what each makes of it. */
async function firstDifference(runtimes: readonly Runtime[], first: number): Promise<unknown> {
  const hashes = await Promise.all(
    runtimes.map(async ({ ask }) => [await ask({ kind: "hashes", first, count: CHUNK })].flat()),
  );
  const at = (hashes[0] ?? []).findIndex((hash, at) => hashes.some((all) => all[at] !== hash));
  const tokens = runtimes.map(async ({ name, ask }) => [
    name,
    JSON.stringify(await ask({ kind: "tokens", first: first + at, count: 1 })),
  ]);
  return { string: first + at, ...Object.fromEntries(await Promise.all(tokens)) };
}

/** @returns the path of an ECMAScript module that exports `answer` and is a Worker as well */
async function bundleInto(folder: string): Promise<string> {
  const strings = JSON.stringify(resolve(import.meta.dirname, "support/tokenizer-strings.ts"));
  await writeFile(
    join(folder, "worker.js"),
    `import { answer } from ${strings};
    export { answer };
    export default { fetch: async (request) => Response.json(answer(await request.json())) };`,
  );
  const config = join(folder, "wrangler.json");
  await writeFile(
    config,
    JSON.stringify({ name: "strings", main: "worker.js", compatibility_date: "2026-10-01" }),
  );
  const out = join(folder, "out");
  const { code, output } = await wrangler([
    "deploy",
    "--dry-run",
    "--config",
    config,
    "--outdir",
    out,
  ]);
  expect(code, output).toBe(0);
  return join(out, "worker.js");
}

function node(bundle: string): Runtime {
  const script = `
    const { answer } = await import(process.argv[1]);
    console.log(JSON.stringify(answer(JSON.parse(process.argv[2]))));`;
  return {
    name: "Node",
    ask: async (question) => {
      const asked = [pathToFileURL(bundle).href, JSON.stringify(question)];
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ["--input-type=module", "--eval", script, ...asked],
        // A chunk's hashes are half a megabyte.
        { maxBuffer: 2 ** 24 },
      );
      // As `answer` returned it.
      return JSON.parse(stdout) as ReturnType<typeof answer>;
    },
  };
}

async function workerd(folder: string): Promise<Runtime> {
  const harness = createTestHarness({
    root: folder,
    workers: [{ configPath: "wrangler.json", prebuiltWorkerDir: "out" }],
  });
  toClose.push(() => harness.close());
  await harness.listen();
  return {
    name: "workerd",
    ask: async (question) => {
      const response = await harness.fetch("/", { method: "POST", body: JSON.stringify(question) });
      if (!response.ok) throw new Error(await response.text());
      // As `answer` returned it.
      return (await response.json()) as ReturnType<typeof answer>;
    },
  };
}

async function chromium(bundle: string): Promise<Runtime> {
  const browser = await openBrowser();
  toClose.push(() => browser.close());
  const module = `data:text/javascript,${encodeURIComponent(await readFile(bundle, "utf8"))}`;
  // As text, because the test runner rewrites the imports of a function.
  await browser.page.evaluate(
    `import(${JSON.stringify(module)}).then((module) => { globalThis.strings = module; })`,
  );
  return {
    name: "Chromium",
    ask: (question) => browser.page.evaluate(`strings.answer(${JSON.stringify(question)})`),
  };
}
