import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, posix, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

/** From the top: each may import its own layer and those below. A file of each place stands for all of it. */
const LAYERS = [
  ["src/index.ts"],
  ["src/auth/a.ts", "src/auth/b.tsx", "src/workflows/a.ts"],
  ["src/user-agent.ts"],
  ["src/mcp/a.ts", "src/mcp/tools/a.ts", "src/http/a.ts"],
  ["src/user.ts"],
  [
    "src/memory/a.ts",
    "src/conversations/a.ts",
    "src/integrity/a.ts",
    "src/transfer/a.ts",
    "src/transfer/formats/a.ts",
  ],
  ["src/search/a.ts", "src/vault/a.ts", "src/storage/a.ts"],
  [
    "src/errors.ts",
    "src/log.ts",
    "src/scopes.ts",
    "src/grants.ts",
    "src/allow-list.ts",
    "src/account-deletion.ts",
    "src/refusals.ts",
    "src/handshake.ts",
  ],
];

test("lint refuses an import of every higher layer, types included, and no import of a lower one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cofio-layers-"));
  await copyFile(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
  const expected: string[] = [];
  for (const [height, files] of LAYERS.entries()) {
    for (const file of files) {
      const up = LAYERS.slice(0, height).flat();
      const down = LAYERS.slice(height + 1).flat();
      await mkdir(join(folder, dirname(file)), { recursive: true });
      await writeFile(
        join(folder, file),
        [...up, ...down].map((target, line) => importOf(file, target, line)).join("\n"),
      );
      expected.push(...up.map((_, line) => `${file}:${line + 1}`));
    }
  }
  expect((await refusedImports(folder)).sort()).toEqual(expected.sort());
  await rm(folder, { recursive: true });
});

function importOf(file: string, target: string, line: number): string {
  const path = posix.relative(posix.dirname(file), target);
  const specifier = path.startsWith(".") ? path : `./${path}`;
  return `${line % 2 === 0 ? "import type" : "import"} { a as a${line} } from "${specifier}";`;
}

/** As `file:line`. */
async function refusedImports(folder: string): Promise<string[]> {
  const oxlint = join(root, "node_modules/oxlint/bin/oxlint");
  const { stdout } = await promisify(execFile)(process.execPath, [oxlint, "--format=unix"], {
    cwd: folder,
  })
    // It exits with 1 because it found something.
    .catch((error: { stdout: string }) => error);
  return stdout
    .split("\n")
    .filter((line) => line.includes("no-restricted-imports"))
    .map((line) => line.split(":").slice(0, 2).join(":").replace(`${folder}/`, ""));
}
