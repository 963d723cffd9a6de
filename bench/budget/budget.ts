/**
 * `npm run bench -- budget`: what a call of each tool but export_data uses of what Cloudflare counts, and what its plans therefore hold. Counted in the
 * whole product on counted bindings; CPU is taken from the system for the real local server, which runs D1, KV and objects in the
 * same process: an upper bound. What the database takes to read is measured by asking it the same again, and the rest stands beside:
 * nearer to what Cloudflare counts, and an upper bound still of calls that write. Nothing of it was seen on a deployment.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import * as z from "zod";
import type { Server } from "../../test/e2e/support/server.ts";
import { memoryOf } from "../runtime/synthetic.ts";
import { callTool, type Access } from "../support/call-tool.ts";
import {
  memoryExports,
  openByToken,
  startQuietServer,
  type StoredMemory,
} from "../support/cofio.ts";
import { printMarkdown } from "../support/markdown.ts";
import { percentile } from "../support/percentile.ts";
import { printPlace, progress, thisPlace, writeJson } from "../support/report.ts";
import { withTemporaryFolder } from "../support/temporary-folder.ts";
import { cpuMsOf, D1_FOLDER, workerProcessOf } from "../support/workerd.ts";
import { CALLS, chatsFrom, OWNER, type BudgetCall, type Stored } from "./calls.ts";
import type { Counts } from "./counted-bindings.ts";
import { withCountedRuntime, type CountedRuntime } from "./counted-runtime.ts";
import {
  addUses,
  FREE_CPU_MS_A_REQUEST,
  FREE_DATABASE_BYTES,
  freePlanHolds,
  PAID_DATABASE_BYTES,
  paidPlanCosts,
  type Use,
} from "./prices.ts";

const RUNS = 5;
/** Of what one call asks the database. Arbitrary: some hundred milliseconds, by a clock of 10. */
const REPLAYS = 100;
const CONVERSATIONS = 200;
const CONVERSATIONS_AT_ONCE = 100;
const IDLE_MS = 5_000;
/** The first is not counted: after an import the user's object has upkeep to do. Of the others the lowest counts. */
const IDLE_WINDOWS = 6;
/** What a Worker and its objects are counted as having. */
const OBJECT_GB = 0.128;
/** Of a person with an assistant, on a busy day. Arbitrary. */
const DAY: Readonly<Record<string, number>> = {
  search: 40,
  save: 10,
  list: 3,
  get: 5,
  update: 2,
  delete: 1,
  "search chats": 5,
  "get a chat": 3,
};

interface Figures {
  readonly name: string;
  readonly tool: string;
  /** Medians of the calls, and the most rows that one of them read. */
  readonly counts: Counts;
  readonly mostRowsRead: number;
  /** Of `cpuMs`, what D1's engine and its binding take for the statements that read. Mean of the calls. */
  readonly readingMs: number;
  /** Per call, medians of the runs. */
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** `--memories N`; `--calls N`: of each tool for its CPU; `--json FILE`: the report once more. */
export async function measureBudget(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      memories: { type: "string", default: "10000" },
      calls: { type: "string", default: "1000" },
      json: { type: "string" },
    },
  });
  const memories = Number(values.memories);
  const { byTool, readingMs, throughOAuth } = await countCalls(memories);
  const { times, refusedMs, idleMsPerSecond, databaseBytes } = await timeCalls(
    memories,
    Number(values.calls),
  );
  const figures = CALLS.map(({ name, tool }): Figures => {
    const counted = byTool.get(name) ?? [];
    const time = times.get(name);
    if (time === undefined) throw new Error(`${name} was not timed`);
    return {
      name,
      tool,
      counts: medianCounts(counted),
      mostRowsRead: Math.max(...counted.map(({ d1 }) => d1.rowsRead)),
      readingMs: readingMs.get(name) ?? 0,
      ...time,
    };
  });
  printPlace(thisPlace());
  print(figures, { memories, throughOAuth, refusedMs, bytesAMemory: databaseBytes / memories });
  if (values.json !== undefined) {
    const report = { memories, figures, throughOAuth, refusedMs, idleMsPerSecond, databaseBytes };
    writeJson(values.json, { benchmark: "budget", ...thisPlace(), ...report });
  }
}

async function countCalls(memories: number): Promise<{
  byTool: Map<string, Counts[]>;
  readingMs: Map<string, number>;
  throughOAuth: Counts;
}> {
  const byTool = new Map<string, Counts[]>();
  const readingMs = new Map<string, number>();
  const oauth: Counts[] = [];
  await withCountedRuntime(async (runtime) => {
    progress(`counting: filling in ${memories} memories`);
    for (const body of memoryExports(ownMemories(memories))) {
      await runtime.request("/api/imports", body);
    }
    for (let from = 0; from < CONVERSATIONS; from += CONVERSATIONS_AT_ONCE) {
      await runtime.callTool("import_data", { items: chatsFrom(from, CONVERSATIONS_AT_ONCE) });
    }
    const listed = await runtime.callTool("list_conversations", { limit: 20 });
    const stored = {
      memories,
      conversations: listedSchema.parse(listed).conversations.map(({ id }) => id),
    };
    for (const call of CALLS) {
      progress(`counting: ${call.name}`);
      const counted: Counts[] = [];
      // The first of each is not counted: it wakes what sleeps.
      for (let at = 0; at <= RUNS; at++)
        counted.push(await countCall(runtime, call, { at, stored }));
      byTool.set(call.name, counted.slice(1));
      readingMs.set(call.name, await timeReading(runtime, call, stored));
    }
    const token = await runtime.tokenThroughOAuth();
    const [search] = CALLS;
    if (search === undefined) throw new Error("There are calls");
    for (let at = 0; at <= RUNS; at++) {
      oauth.push(await countCall(runtime, search, { at, stored, token }));
    }
  });
  return { byTool, readingMs, throughOAuth: medianCounts(oauth.slice(1)) };
}

/** CPU of the statements that read, of one call. What writes cannot be asked again as it was. */
async function timeReading(
  runtime: CountedRuntime,
  { tool, args }: BudgetCall,
  stored: Stored,
): Promise<number> {
  let cpuMs = 0;
  for (let run = 1; run <= RUNS; run++) {
    await runtime.takeCounts();
    await runtime.callTool(tool, args(RUNS + run, stored));
    await runtime.replay(1);
    const before = cpuMsOf(runtime.process);
    await runtime.replay(REPLAYS);
    cpuMs += cpuMsOf(runtime.process) - before;
  }
  return cpuMs / (RUNS * REPLAYS);
}

async function countCall(
  runtime: CountedRuntime,
  { tool, args }: BudgetCall,
  { at, stored, token }: { readonly at: number; readonly stored: Stored; readonly token?: string },
): Promise<Counts> {
  await runtime.takeCounts();
  await runtime.callTool(tool, args(at, stored), token);
  return runtime.takeCounts();
}

interface Times {
  readonly cpuMs: number;
  readonly wallMs: number;
}

function timeCalls(memories: number, calls: number) {
  return withTemporaryFolder(async (folder) => {
    progress(`CPU: filling in ${memories} memories`);
    const server = await startQuietServer(folder);
    try {
      const access = await openByToken(server, ownMemories(memories));
      const databaseBytes = databaseBytesOf(folder);
      for (let from = 0; from < CONVERSATIONS; from += CONVERSATIONS_AT_ONCE) {
        await ask(access, "import_data", { items: chatsFrom(from, CONVERSATIONS_AT_ONCE) });
      }
      const listed = await callTool(
        access,
        { name: "list_conversations", arguments: { limit: 20 } },
        listedSchema,
      );
      const stored = { memories, conversations: listed.conversations.map(({ id }) => id) };
      const idleMsPerSecond = await idleCpu(server);
      const timed = (share: number, make: (at: number) => Promise<unknown>) =>
        timeCall(server, make, { perRun: Math.ceil((calls * share) / RUNS), idleMsPerSecond });
      progress("CPU: a request that is refused at once");
      const { cpuMs: refusedMs } = await timed(1, () => askAsForeignPage(server));
      const times = new Map<string, Times>();
      for (const { name, tool, args, cpuShare } of CALLS) {
        progress(`CPU: ${name}`);
        times.set(name, await timed(cpuShare, (at) => ask(access, tool, args(at, stored))));
      }
      return { times, refusedMs, idleMsPerSecond, databaseBytes };
    } finally {
      await server.stop();
    }
  });
}

async function timeCall(
  server: Server,
  make: (at: number) => Promise<unknown>,
  { perRun, idleMsPerSecond }: { readonly perRun: number; readonly idleMsPerSecond: number },
): Promise<Times> {
  const pid = workerProcessOf(server);
  const runs: Times[] = [];
  let at = 0;
  for (let run = 0; run < RUNS; run++) {
    const [cpuBefore, began] = [cpuMsOf(pid), performance.now()];
    for (let count = 0; count < perRun; count++) await make(at++);
    const wallMs = performance.now() - began;
    const idleMs = (idleMsPerSecond * wallMs) / 1_000;
    runs.push({
      cpuMs: (cpuMsOf(pid) - cpuBefore - idleMs) / perRun,
      wallMs: wallMs / perRun,
    });
  }
  return {
    cpuMs: percentile(
      runs.map(({ cpuMs }) => cpuMs),
      0.5,
    ),
    wallMs: percentile(
      runs.map(({ wallMs }) => wallMs),
      0.5,
    ),
  };
}

/** Of the process, in a second in which nobody asks and nothing is left to do. */
async function idleCpu(server: Server): Promise<number> {
  const pid = workerProcessOf(server);
  let lowest = Number.POSITIVE_INFINITY;
  for (let window = 0; window < IDLE_WINDOWS; window++) {
    const before = cpuMsOf(pid);
    await sleep(IDLE_MS);
    if (window > 0) lowest = Math.min(lowest, (cpuMsOf(pid) - before) / (IDLE_MS / 1_000));
  }
  return lowest;
}

/** Refused by the Worker's first lines: what is left is the way in and out. */
async function askAsForeignPage(server: Server): Promise<void> {
  const headers = { origin: "https://foreign.example", "content-type": "application/json" };
  const answer = await fetch(server.mcpUrl, { method: "POST", headers, body: "{}" });
  if (answer.status !== 403) throw new Error(`A foreign page was answered ${answer.status}`);
  await answer.text();
}

function ask(access: Access, name: string, args: Record<string, unknown>): Promise<unknown> {
  return callTool(access, { name, arguments: args }, z.unknown());
}

function medianCounts(counted: readonly Counts[]): Counts {
  const median = (value: (counts: Counts) => number) => percentile(counted.map(value), 0.5);
  return {
    d1: {
      roundTrips: median(({ d1 }) => d1.roundTrips),
      statements: median(({ d1 }) => d1.statements),
      rowsRead: median(({ d1 }) => d1.rowsRead),
      rowsWritten: median(({ d1 }) => d1.rowsWritten),
    },
    kvReads: median(({ kvReads }) => kvReads),
    kvWrites: median(({ kvWrites }) => kvWrites),
    r2ClassA: median(({ r2ClassA }) => r2ClassA),
    r2ClassB: median(({ r2ClassB }) => r2ClassB),
    objectRequests: median(({ objectRequests }) => objectRequests),
    objectRowsRead: median(({ objectRowsRead }) => objectRowsRead),
    objectRowsWritten: median(({ objectRowsWritten }) => objectRowsWritten),
  };
}

interface Told {
  readonly memories: number;
  /** Of a search. */
  readonly throughOAuth: Counts;
  /** CPU of a request that is refused at once. */
  readonly refusedMs: number;
  readonly bytesAMemory: number;
}

function print(
  figures: readonly Figures[],
  { memories, throughOAuth, refusedMs, bytesAMemory }: Told,
): void {
  const line = (name: string, counts: Counts, more: readonly string[]) => [
    name,
    ...more,
    ...[counts.d1.roundTrips, counts.d1.statements, counts.d1.rowsRead].map(String),
    ...[counts.d1.rowsWritten, counts.objectRequests].map(String),
    `${counts.objectRowsRead} / ${counts.objectRowsWritten}`,
    `${counts.kvReads} / ${counts.kvWrites}`,
    `${counts.r2ClassA} / ${counts.r2ClassB}`,
  ];
  const [search] = figures;
  printMarkdown(
    `A call at ${memories} memories, medians; CPU of workerd with D1 and all else in it, an upper bound, and without what the database reads`,
    [
      "call",
      "CPU ms",
      "without D1's reads",
      `of the free plan's ${FREE_CPU_MS_A_REQUEST} ms`,
      "most rows read",
      "D1 round trips",
      "statements",
      "rows read",
      "rows written",
      "object requests",
      "object rows read / written",
      "KV reads / writes",
      "R2 class A / B",
    ],
    [
      ...figures.map(({ name, counts, mostRowsRead, ...times }) =>
        line(name, counts, [...shownCpu(times), String(mostRowsRead)]),
      ),
      ...(search === undefined
        ? []
        : [line("search, through OAuth", throughOAuth, ["–", "–", "–", "–"])]),
    ],
  );
  console.log(
    `\nA request that the Worker refuses at once takes ${refusedMs.toFixed(1)} ms of it: the way in and out, which each call has.`,
  );
  const signIn = signInOf(throughOAuth, search?.counts);
  const bytesAUser = memories * bytesAMemory;
  printFreePlan(figures, { signIn, bytesAUser });
  printPaidPlan(figures, { signIn, bytesAUser });
  const day = Object.entries(DAY).map(([name, times]) => `${times} × ${name}`);
  const kB = (bytesAMemory / 1_000).toFixed(1);
  console.log(
    `\nA user's day, through OAuth: ${day.join(", ")}. A user's data: ${memories} memories of ${kB} kB in the database, all indexes included, and no chats. ${LEFT_OUT}`,
  );
}

const LEFT_OUT =
  "Left out: requests of a client that connects; exports, backups and imports of files with their workflows and what they keep in R2; what a client's registration, consent and refreshed tokens write to KV; storage of KV and of the objects; pages; nightly work.";

/** What signing in through OAuth takes of each call beyond what a token takes. */
type SignIn = Pick<Use, "kvReads" | "kvWrites">;

function signInOf(throughOAuth: Counts, byToken: Counts = throughOAuth): SignIn {
  return {
    kvReads: throughOAuth.kvReads - byToken.kvReads,
    kvWrites: throughOAuth.kvWrites - byToken.kvWrites,
  };
}

interface Users {
  readonly signIn: SignIn;
  readonly bytesAUser: number;
}

function printFreePlan(figures: readonly Figures[], { signIn, bytesAUser }: Users): void {
  const holds = figures.map((one) => ({ name: one.name, ...freePlanHolds(useOf(one, signIn)) }));
  const users = freePlanHolds(dayOf(figures, signIn));
  printMarkdown(
    "The free plan, a day, through OAuth",
    ["what", "how many", "used up first"],
    [
      ...holds.map(({ name, times, limitedBy }) => [name, String(times), limitedBy]),
      ["users, by their days", String(users.times), users.limitedBy],
      [
        "users, by their data",
        String(Math.floor(FREE_DATABASE_BYTES / bytesAUser)),
        "500 MB of the database",
      ],
    ],
  );
}

function printPaidPlan(figures: readonly Figures[], { signIn, bytesAUser }: Users): void {
  const fitting = Math.floor(PAID_DATABASE_BYTES / bytesAUser);
  const aDay = dayOf(figures, signIn);
  printMarkdown(
    `The paid plan: US dollars a month, all included amounts used first; one database of 10 GB holds ${fitting} such users`,
    ["users", "fit one database", "in all", "for 1,000 users", "of it beyond the 5 of the plan"],
    [1_000, 10_000, 100_000].map((users) => {
      const use = addUses([{ use: aDay, times: users }]);
      const { total, parts } = paidPlanCosts(use, users * bytesAUser);
      return [
        String(users),
        users <= fitting ? "yes" : "no",
        total.toFixed(2),
        ((1_000 * total) / users).toFixed(2),
        parts.join(", "),
      ];
    }),
  );
}

function dayOf(figures: readonly Figures[], signIn: SignIn): Use {
  return addUses(figures.map((one) => ({ use: useOf(one, signIn), times: DAY[one.name] ?? 0 })));
}

function useOf({ counts, cpuMs, wallMs }: Figures, { kvReads, kvWrites }: SignIn): Use {
  const { d1, ...others } = counts;
  return {
    ...others,
    kvReads: counts.kvReads + kvReads,
    kvWrites: counts.kvWrites + kvWrites,
    requests: 1,
    cpuMs,
    rowsRead: d1.rowsRead,
    rowsWritten: d1.rowsWritten,
    objectGbSeconds: (wallMs / 1_000) * OBJECT_GB,
  };
}

function shownCpu({ cpuMs, readingMs }: Pick<Figures, "cpuMs" | "readingMs">): string[] {
  return [
    cpuMs.toFixed(1),
    (cpuMs - readingMs).toFixed(1),
    `${((100 * cpuMs) / FREE_CPU_MS_A_REQUEST).toFixed(0)} %`,
  ];
}

function ownMemories(count: number): StoredMemory[] {
  return Array.from({ length: count }, (_, at) => memoryOf(OWNER, at));
}

/** As D1 counts it: pages, whether they lie in the file or still in the log beside it. */
function databaseBytesOf(folder: string): number {
  const data = join(folder, D1_FOLDER);
  return readdirSync(data)
    .filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite")
    .reduce((sum, name) => {
      const database = new DatabaseSync(join(data, name), { readOnly: true });
      const row = database
        .prepare("SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size")
        .get();
      database.close();
      return sum + Number(row?.["bytes"]);
    }, 0);
}

const listedSchema = z.object({ conversations: z.array(z.object({ id: z.string() })) });
