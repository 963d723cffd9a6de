/** The program `cofio` as npm installs it from its package, far from this checkout. */
import { execFile } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";

const root = resolve(import.meta.dirname, "../../..");
const run = promisify(execFile);
const packedSchema = z.array(z.object({ filename: z.string(), size: z.number() })).length(1);

export interface InstalledProgram {
  /** What npm's link in its folder of programs leads to. */
  readonly file: string;
  /** The package's own folder, with all that it depends on. */
  readonly folder: string;
  readonly packageBytes: number;
  readonly installSeconds: number;
  readonly installedBytes: number;
}

/** Packs what is built, and installs it below `prefix` as `npm i -g` would. What it depends on comes from npm's cache or the registry. */
export async function installProgram(prefix: string): Promise<InstalledProgram> {
  await mkdir(prefix, { recursive: true });
  const pack = ["pack", "--ignore-scripts", "--json", "--pack-destination", prefix];
  const { stdout } = await run("npm", pack, { cwd: root, env: plainEnvironment() });
  const [packed] = packedSchema.parse(JSON.parse(stdout));
  if (packed === undefined) throw new Error("npm packed nothing");
  const startedAt = performance.now();
  const install = [
    "install",
    "--global",
    "--prefix",
    prefix,
    "--omit=dev",
    "--no-audit",
    "--no-fund",
  ];
  await run("npm", [...install, "--prefer-offline", join(prefix, packed.filename)], {
    cwd: prefix,
    env: plainEnvironment(),
  });
  const installSeconds = (performance.now() - startedAt) / 1_000;
  const modules = process.platform === "win32" ? "node_modules" : "lib/node_modules";
  const folder = join(prefix, modules, "cofio");
  return {
    file: join(folder, "apps/cli/cofio.js"),
    folder,
    packageBytes: packed.size,
    installSeconds,
    installedBytes: bytesIn(folder),
  };
}

/** Without what an `npm run` around this process tells: it is about this checkout. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  for (const name of Object.keys(environment)) {
    if (/^npm_(?!config_(?:cache|registry))/iu.test(name)) delete environment[name];
  }
  return environment;
}

/** A file with two names counts once: npm packages of workerd link their program twice. */
function bytesIn(folder: string): number {
  const sizes = new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)))
      .map(({ ino, size }) => [ino, size]),
  );
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
