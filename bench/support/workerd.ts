/** What the system says of the process that runs the Worker. Linux only. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import type { Server } from "../../test/e2e/support/server.ts";

/** In a server's data folder: where the local engine keeps its databases. */
export const D1_FOLDER = "v3/d1/miniflare-D1DatabaseObject";

/** Of the server's processes: not wrangler's proxy before it, which is a workerd too, with data of its own. */
export function workerProcessOf(server: Server): number {
  const folder = join(server.state, D1_FOLDER);
  const found = server.processes().find((pid) => hasOpen(pid, (file) => file.startsWith(folder)));
  if (found === undefined) throw new Error("No process of the server has a database open");
  return found;
}

/** The process that has a database of D1 open somewhere below this folder. */
export function databaseProcessBelow(folder: string): number {
  const isDatabase = (file: string) =>
    file.startsWith(folder) && file.includes(basename(D1_FOLDER));
  const ids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  const found = ids.find((pid) => hasOpen(pid, isDatabase));
  if (found === undefined) throw new Error(`No process has a database below ${folder} open`);
  return found;
}

/** CPU of all its threads so far, in user and kernel mode. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // Fields 14 and 15 of proc_pid_stat(5), counted behind the name, which may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond();
}

/** Memory of the process that is in RAM now. */
export function residentMiBOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/u.exec(status)?.[1]) / 1024;
}

function hasOpen(pid: number, isWanted: (file: string) => boolean): boolean {
  const open = `/proc/${pid}/fd`;
  try {
    return readdirSync(open).some((file) => isWanted(readlinkSync(`${open}/${file}`)));
  } catch {
    // A process, or a file of it, that is gone by now.
    return false;
  }
}

let ticks: number | null = null;

function ticksPerSecond(): number {
  ticks ??= Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  return ticks;
}
