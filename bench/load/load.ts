/**
 * `npm run bench -- load`: many people at once on the real local server, for minutes: what fails, how long the slowest calls take, whether
 * afterwards each memory is there, and as it was last acknowledged, and whether the server's memory grows. The loop is closed: a
 * connection makes its next call when it has the answer to the last one, so a server that stalls is also asked less.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual, parseArgs } from "node:util";
import * as z from "zod";
import type { Server } from "../../test/e2e/support/server.ts";
import { memoryOf, randomOf } from "../runtime/synthetic.ts";
import { callTool, type Access } from "../support/call-tool.ts";
import { startQuietServer } from "../support/cofio.ts";
import { inParallel } from "../support/in-parallel.ts";
import { printMarkdown } from "../support/markdown.ts";
import { percentile } from "../support/percentile.ts";
import { printPlace, progress, thisPlace, writeJson } from "../support/report.ts";
import { withTemporaryFolder } from "../support/temporary-folder.ts";
import { residentMiBOf, workerProcessOf } from "../support/workerd.ts";

const USERS = 200;
const CONNECTIONS = 20;
/** Of each user before it begins. */
const SAVED_BEFORE = 5;
const MINUTE_MS = 60_000;
/** Of every hundred calls. */
const MIX = { search: 50, save: 20, get: 12, list: 10, update: 5, delete: 3 } as const;
type Operation = keyof typeof MIX;
/** In the order of the table. */
const OPERATIONS = Object.keys(MIX) as readonly Operation[]; // true because the mix has exactly these
/** The run is broken off: the server is gone. */
const ERRORS_IN_A_ROW = 100;
const LISTED_AT_ONCE = 100;
/** The most that a listing takes. */
const LISTED_TOKENS = 50_000;
/** Shown, of all that failed. */
const SHOWN_ERRORS = 10;

interface User {
  readonly name: string;
  readonly access: Access;
  /** By id: what was last acknowledged of the memories that are there. */
  readonly memories: Map<string, string>;
  saved: number;
  /** One connection at a time deletes, gets or changes a memory of theirs. */
  isBusy: boolean;
}

interface Call {
  readonly operation: Operation;
  /** Since the beginning. */
  readonly endedMs: number;
  readonly tookMs: number;
}

interface Load {
  readonly minutes: number;
  readonly seconds: number;
  readonly calls: Call[];
  readonly errors: string[];
  readonly residentMiB: { readonly at: string; readonly mib: number }[];
  /** Users whose memories are not those that were acknowledged, with the words that were. Null: broken off before. */
  readonly wrongUsers: number | null;
}

/** `--minutes N`, `--users N`; `--json FILE`: the report once more. */
export async function measureLoad(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: "string", default: "5" },
      users: { type: "string", default: String(USERS) },
      json: { type: "string" },
    },
  });
  const load = await withTemporaryFolder(async (folder) => {
    const server = await startQuietServer(folder);
    try {
      return await run(server, { minutes: Number(values.minutes), users: Number(values.users) });
    } finally {
      await server.stop();
    }
  });
  printPlace(thisPlace());
  print(load, Number(values.users));
  if (values.json !== undefined) {
    writeJson(values.json, { benchmark: "load", ...thisPlace(), ...summary(load) });
  }
  if (load.errors.length > 0 || load.wrongUsers !== 0) process.exitCode = 1;
}

async function run(
  server: Server,
  options: { readonly minutes: number; readonly users: number },
): Promise<Load> {
  progress(`${options.users} users, ${SAVED_BEFORE} memories each`);
  const users: User[] = [];
  const names = Array.from({ length: options.users }, (_, at) => `user ${at}`);
  await inParallel(CONNECTIONS, names, async (name) => {
    const access = { server, token: await server.token(name) };
    const user: User = { name, access, memories: new Map(), saved: 0, isBusy: false };
    for (let count = 0; count < SAVED_BEFORE; count++) await perform(user, "save", 0);
    users.push(user);
  });

  const pid = workerProcessOf(server);
  const residentMiB = [{ at: "start", mib: residentMiBOf(pid) }];
  const calls: Call[] = [];
  const errors: string[] = [];
  const began = performance.now();
  const endsAt = began + options.minutes * MINUTE_MS;
  let errorsInARow = 0;
  const watch = setInterval(() => {
    // What the last call leaves over belongs to the end, and a process may be gone.
    if (performance.now() >= endsAt || errorsInARow > 0) return;
    const minute = Math.round((performance.now() - began) / MINUTE_MS);
    residentMiB.push({ at: `minute ${minute}`, mib: residentMiBOf(pid) });
    progress(`minute ${minute}: ${calls.length} calls, ${errors.length} errors`);
  }, MINUTE_MS);
  const connections = Array.from({ length: CONNECTIONS }, (_, at) => at);
  await inParallel(CONNECTIONS, connections, async (connection) => {
    const random = randomOf(`connection ${connection}`);
    while (performance.now() < endsAt && errorsInARow < ERRORS_IN_A_ROW) {
      const user = users[Math.floor(random() * users.length)];
      if (user === undefined || user.isBusy) {
        await sleep(1);
        continue;
      }
      const operation = user.memories.size === 0 ? "save" : chosen(random());
      const isExclusive = operation === "delete" || operation === "update" || operation === "get";
      if (isExclusive) user.isBusy = true;
      const from = performance.now();
      try {
        await perform(user, operation, random());
        const now = performance.now();
        calls.push({ operation, endedMs: now - began, tookMs: now - from });
        errorsInARow = 0;
      } catch (error) {
        errors.push(`${operation}: ${String(error)}`);
        errorsInARow += 1;
      } finally {
        if (isExclusive) user.isBusy = false;
      }
    }
  });
  clearInterval(watch);
  const seconds = (performance.now() - began) / 1_000;
  const load = { minutes: options.minutes, seconds, calls, errors, residentMiB };
  if (errorsInARow >= ERRORS_IN_A_ROW) return { ...load, wrongUsers: null };
  residentMiB.push({ at: "end", mib: residentMiBOf(pid) });

  progress("comparing what is there");
  let wrongUsers = 0;
  await inParallel(CONNECTIONS, users, async ({ access, memories }) => {
    if (!isDeepStrictEqual(await listAll(access), memories)) wrongUsers += 1;
  });
  return { ...load, wrongUsers };
}

/** Contents by id. */
async function listAll(access: Access): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  let cursor: string | undefined;
  do {
    const args = { limit: LISTED_AT_ONCE, max_tokens: LISTED_TOKENS, cursor };
    const page = await callTool(access, { name: "list_memories", arguments: args }, listSchema);
    for (const { id, content } of page.memories) contents.set(id, content);
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return contents;
}

/** @param chance from 0 to below 1: of which memory */
async function perform(user: User, operation: Operation, chance: number): Promise<void> {
  const id = [...user.memories.keys()][Math.floor(chance * user.memories.size)] ?? "";
  const ask = <T>(name: string, args: Record<string, unknown>, answer: z.ZodType<T>) =>
    callTool(user.access, { name, arguments: args }, answer);
  switch (operation) {
    case "search": {
      const { words } = memoryOf(user.name, Math.floor(chance * user.saved));
      await ask("search_memory", { query: words.slice(0, 3).join(" ") }, z.unknown());
      return;
    }
    case "save": {
      const { content } = memoryOf(user.name, user.saved++);
      const { memory } = await ask("save_memory", { content }, savedSchema);
      // What is known already keeps its words.
      if (!user.memories.has(memory.id)) user.memories.set(memory.id, content);
      return;
    }
    case "get":
      await ask("get_memory", { id }, z.unknown());
      return;
    case "list":
      await ask("list_memories", {}, z.unknown());
      return;
    case "update": {
      const { content } = memoryOf(`${user.name} later`, user.saved++);
      await ask("update_memory", { id, content }, z.unknown());
      user.memories.set(id, content);
      return;
    }
    case "delete":
      await ask("delete_memory", { id }, z.unknown());
      user.memories.delete(id);
  }
}

function chosen(chance: number): Operation {
  let left = chance * 100;
  for (const operation of OPERATIONS) {
    left -= MIX[operation];
    if (left < 0) return operation;
  }
  return "search";
}

const savedSchema = z.object({ memory: z.object({ id: z.string() }) });
const listSchema = z.object({
  memories: z.array(z.object({ id: z.string(), content: z.string() })),
  next_cursor: z.string().optional(),
});

interface Row {
  readonly operation: string;
  readonly calls: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly longest: number;
}

function summary({ calls, ...load }: Load) {
  const rowOf = (operation: string, own: readonly Call[]): Row => {
    const times = own.map(({ tookMs }) => tookMs);
    return {
      operation,
      calls: own.length,
      p50: percentile(times, 0.5),
      p95: percentile(times, 0.95),
      p99: percentile(times, 0.99),
      longest: times.reduce((most, time) => Math.max(most, time), 0),
    };
  };
  const minutes = Array.from({ length: Math.ceil(load.minutes) }, (_, minute) =>
    calls.filter(({ endedMs }) => Math.floor(endedMs / MINUTE_MS) === minute),
  );
  return {
    ...load,
    callsPerSecond: calls.length / load.seconds,
    operations: [
      rowOf("all", calls),
      ...OPERATIONS.map((operation) =>
        rowOf(
          operation,
          calls.filter((call) => call.operation === operation),
        ),
      ),
    ],
    /** What one minute is like: medians over the minutes. */
    medianMinute: {
      calls: percentile(
        minutes.map(({ length }) => length),
        0.5,
      ),
      p99: percentile(
        minutes.map((own) => rowOf("", own).p99),
        0.5,
      ),
    },
  };
}

function print(load: Load, users: number): void {
  const { operations, callsPerSecond, medianMinute } = summary(load);
  const first = load.residentMiB[0]?.mib ?? Number.NaN;
  printMarkdown(
    `${users} users over ${CONNECTIONS} connections for ${load.minutes} minutes`,
    ["", ""],
    [
      ["errors", String(load.errors.length)],
      [
        "users whose memories are not those that were acknowledged",
        load.wrongUsers === null
          ? `not compared: broken off after ${ERRORS_IN_A_ROW} errors in a row`
          : String(load.wrongUsers),
      ],
      ["calls a second", callsPerSecond.toFixed(0)],
      [
        "median minute: calls, p99 ms (closed loop)",
        `${medianMinute.calls}, ${medianMinute.p99.toFixed(0)}`,
      ],
    ],
  );
  printMarkdown(
    "How long calls take; a closed loop: no call is due while a connection waits",
    ["call", "calls", "p50 ms", "p95 ms", "p99 ms", "longest ms"],
    operations.map(({ operation, calls, ...times }) => [
      operation,
      String(calls),
      ...Object.values(times).map((time) => time.toFixed(0)),
    ]),
  );
  printMarkdown(
    "Memory of workerd, with D1 and all objects in it",
    ["when", "of the start", "MiB"],
    load.residentMiB.map(({ at, mib }) => [at, `${(mib / first).toFixed(2)}×`, mib.toFixed(0)]),
  );
  for (const error of load.errors.slice(0, SHOWN_ERRORS)) console.log(`\n${error}`);
}
