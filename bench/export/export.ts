/** `npm run bench -- export`: what an archive of 100,000 memories and 80,000 messages takes, in time and above all in memory. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { withRuntime } from "../runtime/runtime.ts";
import { TURNS } from "../runtime/synthetic-reading.ts";
import type { ArchiveSizes, Calls } from "../runtime/worker.ts";
import { printPlace, printTable, progress, thisPlace, writeJson } from "../support/report.ts";

const USER = "exporter";
/** Items in a request that fills; arbitrary, some seconds each. */
const MEMORIES_AT_ONCE = 5_000;
const CONVERSATIONS_AT_ONCE = 50;
/** What the issue of this work allows. */
const MAX_TRACKED_MB = 32;

/** `--memories N`, `--messages N`: less than the whole. `--json FILE`: the report once more. */
export async function measureExport(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      memories: { type: "string", default: "100000" },
      messages: { type: "string", default: "80000" },
      json: { type: "string" },
    },
  });
  const [memories, messages] = [Number(values.memories), Number(values.messages)];
  await withRuntime(async (bench) => {
    await fill(bench, memories, messages);
    const figures = await exportOnce(bench);
    printPlace(thisPlace());
    printTable(
      `An archive of ${memories} memories and ${messages} messages`,
      ["what", "figure"],
      Object.entries(figures).map(([what, figure]) => [what, String(figure)]),
    );
    if (values.json !== undefined) {
      writeJson(values.json, { benchmark: "export", ...thisPlace(), memories, messages, figures });
    }
    if (figures["tracked buffers MB"] > MAX_TRACKED_MB) process.exitCode = 1;
  });
}

async function fill(bench: Calls, memories: number, messages: number): Promise<void> {
  await bench.createUser(USER);
  for (let from = 0; from < memories; from += MEMORIES_AT_ONCE) {
    const to = Math.min(memories, from + MEMORIES_AT_ONCE);
    await bench.importMemories(USER, from, to);
    progress(`memories: ${to}`);
  }
  const conversations = Math.ceil(messages / TURNS);
  for (let from = 0; from < conversations; from += CONVERSATIONS_AT_ONCE) {
    const to = Math.min(conversations, from + CONVERSATIONS_AT_ONCE);
    await bench.importConversations(USER, from, to);
    progress(`messages: ${to * TURNS}`);
  }
}

async function exportOnce(bench: Calls) {
  const workerd = workerdProcesses();
  const before = workerd.map((pid) => memoryOf(pid, "VmRSS"));
  for (const pid of workerd) forgetPeak(pid);
  const start = performance.now();
  let run = await bench.beginArchive(USER);
  let steps = 0;
  let largestAnswer = 0;
  let largestObject = 0;
  while (run.progress.cursor !== null) {
    const { buffers, ...next } = await bench.writeArchive(run);
    run = next;
    steps += 1;
    largestAnswer = Math.max(largestAnswer, buffers.largestAnswer);
    largestObject = Math.max(largestObject, buffers.largestObject);
  }
  const written = performance.now();
  let checks = 1;
  while (await bench.checkArchive(run, checks - 1)) checks += 1;
  await bench.describeArchive(run, checks);
  let sums = 1;
  while (await bench.sumArchive(run, sums - 1)) sums += 1;
  await bench.finishArchive(run, sums);
  steps += checks + sums + 2;
  const end = performance.now();
  const sizes = await bench.measureArchive(run);
  progress(JSON.stringify(run.progress.counts));
  return {
    "written s": seconds(written - start),
    "checked and hashed s": seconds(end - written),
    steps,
    chunks: run.progress.chunk,
    files: run.progress.files.length + 1,
    "text MB": megabytes(sizes.textBytes),
    "zip MB": megabytes(sizes.zipBytes),
    "largest page MB": megabytes(largestAnswer),
    "largest chunk's text MB": megabytes(sizes.largestText),
    "largest sealed chunk MB": megabytes(largestObject),
    "tracked buffers MB": megabytes(trackedBytes(largestAnswer, largestObject, sizes)),
    "workerd before MB": megabytes(Math.max(...before)),
    "workerd peak MB": megabytes(Math.max(...workerd.map((pid) => memoryOf(pid, "VmHWM")))),
  };
}

/**
 * What is alive at once at worst: a page as D1 gives it and what it becomes, two bytes a character; the text of the chunk, two bytes a
 * character, and its bytes; the compressed chunk and its copy; the sealed chunk and its copy.
 */
function trackedBytes(page: number, object: number, { largestText }: ArchiveSizes): number {
  return page + 2 * (page / 2) + 2 * largestText + largestText + 2 * object + 2 * object;
}

/** Of this process and its children: D1 and R2 are simulated in them too, so they hold more than a Worker does. */
function workerdProcesses(): number[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,comm="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/u));
  const isOwn = (pid: string | undefined): boolean => {
    if (pid === undefined || pid === "0" || pid === "1") return false;
    return pid === String(process.pid) || isOwn(lines.find(([own]) => own === pid)?.[1]);
  };
  return lines.flatMap(([pid, parent, name]) =>
    name?.startsWith("workerd") === true && isOwn(parent) ? [Number(pid)] : [],
  );
}

/** Bytes, from Linux's own account (proc(5)). */
function memoryOf(pid: number, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "mu").exec(status)?.[1]) * 1024;
}

/** The peak is counted from here on: before it came the filling (proc(5), clear_refs). */
function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 10_000) / 100;
}
