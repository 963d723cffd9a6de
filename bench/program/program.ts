/** `npm run bench -- program`: what the program `cofio` takes on the disk, and how long a client or a person waits for it. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import * as z from "zod";
import { isAlive } from "../../apps/cli/server-file.ts";
import { installProgram, type InstalledProgram } from "../../test/e2e/support/installed-program.ts";
import { buildProgram } from "../../test/e2e/support/program.ts";
import { connectStdio } from "../support/mcp-clients.ts";
import { percentile } from "../support/percentile.ts";
import { printPlace, printTable, progress, thisPlace, writeJson } from "../support/report.ts";
import { sizesOf } from "../support/sizes.ts";
import { withTemporaryFolder } from "../support/temporary-folder.ts";

/** What is waited for, with the aim in seconds where there is one. */
const WAITS = {
  firstInitialize: ["MCP `initialize`, first start in a new folder", 5],
  laterInitialize: ["MCP `initialize`, later start, no server running", 3],
  joiningInitialize: ["MCP `initialize`, joining a server that runs", null],
  firstSave: ["`cofio save` in a new folder", 5],
  laterSearch: ["`cofio search`, no server running", 3],
  joiningSearch: ["`cofio search`, a server runs", null],
} as const satisfies Readonly<Record<string, readonly [string, number | null]>>;
type Wait = keyof typeof WAITS;
type Seconds = Readonly<Record<Wait, number>>;

/** `--runs N`; `--json FILE`: the report once more. */
export async function measureProgram(args: string[]): Promise<void> {
  const { runs: given, json } = parseArgs({
    args,
    options: { runs: { type: "string", default: "7" }, json: { type: "string" } },
  }).values;
  const [runs = 0] = sizesOf(given, { least: 1 });
  await buildProgram();
  await withTemporaryFolder(async (folder) => {
    progress("installing the package");
    const installed = await installProgram(join(folder, "prefix"));
    const loads = [loadavg()[0] ?? 0];
    const measured: Seconds[] = [];
    for (let run = 0; run < runs; run++) {
      const home = join(folder, `home-${run}`);
      mkdirSync(home);
      // Node's compile cache lies with the temporary files: the first start of all finds none, as after an installation.
      measured.push(await measureOnce(installed, { HOME: home, TMPDIR: folder }));
      loads.push(loadavg()[0] ?? 0);
      progress(`run ${run + 1} of ${runs}`);
    }
    print(installed, measured, loads);
    if (json !== undefined) {
      writeJson(json, { benchmark: "program", ...thisPlace(), installed, measured, loads });
    }
  });
}

type Environment = Readonly<{ HOME: string; TMPDIR: string }>;

async function measureOnce({ file }: InstalledProgram, env: Environment): Promise<Seconds> {
  const clients = join(env.HOME, ".cofio/memory");
  const server = {
    command: process.execPath,
    // As the README configures it.
    args: [file, "--db-path", "~/.cofio/memory"],
    cwd: env.HOME,
    env,
  };
  const first = await timed(() => connectStdio(server));
  await first.result.close();
  await endServer(clients);
  const later = await timed(() => connectStdio(server));
  const joining = await timed(() => connectStdio(server));
  await joining.result.close();
  await later.result.close();
  await endServer(clients);

  const commands = join(env.HOME, "commands");
  const run = (...args: string[]) =>
    timed(() => runToEnd([file, ...args, "--db-path", commands], env));
  const firstSave = await run("save", "Prefers metric units");
  const joiningSearch = await run("search", "units");
  await endServer(commands);
  const laterSearch = await run("search", "units");
  await endServer(commands);
  return {
    firstInitialize: first.seconds,
    laterInitialize: later.seconds,
    joiningInitialize: joining.seconds,
    firstSave: firstSave.seconds,
    laterSearch: laterSearch.seconds,
    joiningSearch: joiningSearch.seconds,
  };
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const startedAt = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - startedAt) / 1_000 };
}

function runToEnd(args: readonly string[], env: Environment): Promise<void> {
  const child = spawn(process.execPath, args, {
    cwd: env.HOME,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code) =>
      code === 0 ? done() : fail(new Error(`cofio ended with ${code}`)),
    );
  });
}

const serverSchema = z.object({ pid: z.number() });
const POLL_MS = 20;

/** It belongs to no client, and would stay for a minute. */
async function endServer(folder: string): Promise<void> {
  const file = join(folder, "server.json");
  const { pid } = serverSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  process.kill(pid, "SIGTERM");
  while (existsSync(file) || isAlive(pid)) await sleep(POLL_MS);
}

function print(
  { packageBytes, installedBytes, installSeconds }: InstalledProgram,
  measured: readonly Seconds[],
  loads: readonly number[],
): void {
  printPlace(thisPlace());
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  printTable(
    "Installed from its package, without development dependencies",
    ["what", "figure"],
    [
      ["package", megabytes(packageBytes)],
      ["on the disk", megabytes(installedBytes)],
      ["installation, from npm's cache where it has them", `${installSeconds.toFixed(1)} s`],
    ],
  );
  printTable(
    `Seconds, ${measured.length} runs; load average ${Math.min(...loads).toFixed(2)} to ${Math.max(...loads).toFixed(2)}`,
    ["wait", "median", "worst", "aim"],
    Object.entries(WAITS).map(([name, [what, aim]]) => {
      const seconds = measured.map((one) => one[name as Wait]); // a key of WAITS
      return [
        what,
        percentile(seconds, 0.5).toFixed(2),
        Math.max(...seconds).toFixed(2),
        aim === null ? "-" : String(aim),
      ];
    }),
  );
}
