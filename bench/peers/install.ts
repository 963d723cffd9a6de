/** The peers at the versions of bench/package-lock.json, in bench/node_modules: never beside the product's own dependencies. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { root } from "../../scripts/wrangler.ts";
import { progress } from "../support/report.ts";

const benchFolder = join(root, "bench");
export const peersFolder = join(benchFolder, "node_modules");
/** What npm leaves behind when it has finished. */
const finished = join(peersFolder, ".package-lock.json");

/** On first use. After a change of the versions: `npm ci --prefix bench`. */
export function installPeers(): void {
  if (existsSync(finished)) return;
  progress("installing the peers by `npm ci` in bench/; where SQLite has to be compiled, minutes");
  execFileSync("npm", ["ci"], { cwd: benchFolder, stdio: ["ignore", "ignore", "inherit"] });
}

/**
 * The Node that runs a peer with native code: this one, unless its SQLite was compiled for another one that is on the PATH. Where npm
 * finds no binary to download it compiles one, by the headers that the machine has.
 */
export function nodeWithSqlite(peerFolder: string): string {
  const candidates = [process.execPath, ...nodesOnPath()];
  const fitting = candidates.find((node) => canLoadSqlite(node, peerFolder));
  if (fitting === undefined) throw new Error(`No Node here can load the SQLite of ${peerFolder}`);
  return fitting;
}

function nodesOnPath(): string[] {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "node"))
    .filter((file) => existsSync(file));
}

function canLoadSqlite(node: string, cwd: string): boolean {
  const script = "new (require('better-sqlite3'))(':memory:')";
  return spawnSync(node, ["-e", script], { cwd, stdio: "ignore" }).status === 0;
}
