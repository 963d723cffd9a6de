/**
 * `npm run bench -- floor`: what a search costs beside what nobody can save: SQLite's own full text, the same SQL on a bare D1, and calls
 * over the same path that do nothing. Both calls of a pair follow each other, so that a busy machine slows both.
 */
import { parseArgs } from "node:util";
import type { Client } from "@modelcontextprotocol/client";
import { commonQueries, naturalQueries } from "../runtime/queries.ts";
import { withRuntime } from "../runtime/runtime.ts";
import { memoryOf } from "../runtime/synthetic.ts";
import { openByToken, startQuietServer } from "../support/cofio.ts";
import { printMarkdown } from "../support/markdown.ts";
import { connectHttp } from "../support/mcp-clients.ts";
import { percentile } from "../support/percentile.ts";
import { printPlace, progress, thisPlace, writeJson } from "../support/report.ts";
import { sizesOf } from "../support/sizes.ts";
import { withTemporaryFolder } from "../support/temporary-folder.ts";
import { openRawFts5 } from "./raw-fts5.ts";

const OWNER = "owner";
const RUNS = 5;
const NATURAL_QUERIES = 60;
const COMMON_QUERIES = 20;
/** Items in a request that fills. */
const MEMORIES_AT_ONCE = 5_000;
/** A valid id that no memory has. */
const NOTHING = "aaaaaaaaaaaa";
/** What is aimed at with 10,000 memories: a search beside an empty call. */
const MOST = { sizedAt: 10_000, moreMs: 2.5, ratio: 1.6 };

interface Timing {
  readonly p50: number;
  readonly p95: number;
}

interface Pair {
  readonly empty: string;
  /** Medians of the runs: of each run's medians, and of the differences within its pairs. */
  readonly emptyMs: number;
  readonly searchMs: number;
  readonly moreMs: number;
  readonly ratio: number;
}

interface Figures {
  readonly size: number;
  readonly inProcess: Readonly<Record<string, Timing>>;
  readonly overHttp: Readonly<Record<string, Timing>>;
  readonly pairs: readonly Pair[];
}

/** `--sizes 10000`; `--json FILE`: the report once more. */
export async function measureFloor(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { sizes: { type: "string", default: "10000" }, json: { type: "string" } },
  });
  const figures: Figures[] = [];
  for (const size of sizesOf(values.sizes, { least: 1 })) {
    const queries = [
      ...naturalQueries(OWNER, { count: NATURAL_QUERIES, stored: size }),
      ...commonQueries(COMMON_QUERIES, { top: 40, from: 3, to: 5 }),
    ];
    progress(`SQLite and D1 with ${size} memories`);
    const inProcess = { ...measureRaw(size, queries), ...(await measureInWorkerd(size, queries)) };
    progress(`over HTTP with ${size} memories`);
    figures.push({ size, inProcess, ...(await measureOverHttp(size, queries)) });
  }
  printPlace(thisPlace());
  figures.forEach(print);
  if (values.json !== undefined) {
    writeJson(values.json, { benchmark: "floor", ...thisPlace(), figures });
  }
}

function measureRaw(size: number, queries: readonly string[]): Record<string, Timing> {
  const raw = openRawFts5(Array.from({ length: size }, (_, at) => memoryOf(OWNER, at).content));
  try {
    const times = queries.map((query) => {
      const own = Array.from({ length: RUNS }, () => {
        const began = performance.now();
        raw.search(query);
        return performance.now() - began;
      });
      return percentile(own, 0.5);
    });
    return { "SQLite FTS5, in Node, plain text": timingOf(times) };
  } finally {
    raw.close();
  }
}

async function measureInWorkerd(size: number, queries: string[]): Promise<Record<string, Timing>> {
  const timings: Record<string, Timing> = {};
  await withRuntime(async (bench) => {
    await bench.createUser(OWNER);
    for (let from = 0; from < size; from += MEMORIES_AT_ONCE) {
      await bench.importMemories(OWNER, from, Math.min(size, from + MEMORIES_AT_ONCE));
    }
    timings["`SELECT 1` on D1"] = await bench.measureRoundTrip(queries.length);
    timings["the search's SQL on D1"] = await bench.measureBareSearch(OWNER, queries);
    timings["the search, inside the object"] = await bench.measureSearch(
      OWNER,
      "memories",
      queries,
    );
  });
  return timings;
}

function measureOverHttp(
  size: number,
  queries: readonly string[],
): Promise<Pick<Figures, "overHttp" | "pairs">> {
  return withTemporaryFolder(async (folder) => {
    const server = await startQuietServer(folder);
    try {
      const memories = Array.from({ length: size }, (_, at) => memoryOf(OWNER, at));
      const { token } = await openByToken(server, memories);
      const client = await connectHttp(server.mcpUrl, token);
      const measured = await measurePairs(client, queries);
      await client.close();
      return measured;
    } finally {
      await server.stop();
    }
  });
}

/** Of the smallest calls that pass HTTP, the sign-in and the user's object; both open the user's account, only the second runs a tool. */
const EMPTY_CALLS = {
  ping: (client: Client) => client.ping(),
  "`get_memory` of nothing": (client: Client) =>
    client.callTool({ name: "get_memory", arguments: { id: NOTHING } }),
};

async function measurePairs(
  client: Client,
  queries: readonly string[],
): Promise<Pick<Figures, "overHttp" | "pairs">> {
  const search = (query: string) =>
    client.callTool({ name: "search_memory", arguments: { query } });
  const overHttp: Record<string, Timing> = {};
  const pairs: Pair[] = [];
  const searches: number[] = [];
  for (const [name, empty] of Object.entries(EMPTY_CALLS)) {
    const emptyCalls: number[] = [];
    const runs: Omit<Pair, "empty">[] = [];
    // The first run compiles, and is not counted.
    for (let run = 0; run <= RUNS; run++) {
      const times: { readonly empty: number; readonly search: number }[] = [];
      for (const [place, query] of queries.entries()) {
        // By turns: what comes second finds warm what the first has left.
        const isSearchFirst = (run + place) % 2 === 1;
        const early = isSearchFirst ? await timed(() => search(query)) : null;
        const emptyTook = await timed(() => empty(client));
        times.push({ empty: emptyTook, search: early ?? (await timed(() => search(query))) });
      }
      if (run === 0) continue;
      const emptyMs = median(times.map((pair) => pair.empty));
      const searchMs = median(times.map((pair) => pair.search));
      const moreMs = median(times.map((pair) => pair.search - pair.empty));
      runs.push({ emptyMs, searchMs, moreMs, ratio: searchMs / emptyMs });
      emptyCalls.push(...times.map((pair) => pair.empty));
      searches.push(...times.map((pair) => pair.search));
    }
    overHttp[name] = timingOf(emptyCalls);
    pairs.push({
      empty: name,
      emptyMs: median(runs.map((run) => run.emptyMs)),
      searchMs: median(runs.map((run) => run.searchMs)),
      moreMs: median(runs.map((run) => run.moreMs)),
      ratio: median(runs.map((run) => run.ratio)),
    });
  }
  overHttp["`search_memory`"] = timingOf(searches);
  return { overHttp, pairs };
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await call();
  return performance.now() - began;
}

function timingOf(times: readonly number[]): Timing {
  return { p50: percentile(times, 0.5), p95: percentile(times, 0.95) };
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

function print({ size, inProcess, overHttp, pairs }: Figures): void {
  printMarkdown(
    `A search of ${size} memories beside an empty call, in pairs; medians of ${RUNS} runs`,
    ["empty call", "ratio", "search is longer by, ms", "empty call, ms", "search, ms"],
    pairs.map((pair) => [
      pair.empty,
      `${pair.ratio.toFixed(2)}×`,
      ...[pair.moreMs, pair.emptyMs, pair.searchMs].map((time) => time.toFixed(2)),
    ]),
  );
  if (size === MOST.sizedAt) {
    const verdicts = pairs.map(({ empty, moreMs, ratio }) => {
      const isMet = moreMs <= MOST.moreMs && ratio <= MOST.ratio;
      return `beside ${empty}: ${isMet ? "met" : "missed"}`;
    });
    console.log(
      `\nAt most ${MOST.moreMs} ms and ${MOST.ratio}× are aimed at: ${verdicts.join("; ")}.`,
    );
  }
  const searched = overHttp["`search_memory`"]?.p50 ?? Number.NaN;
  printMarkdown(
    `${size} memories: what takes how long`,
    ["what", "share of a search over HTTP", "p50 ms", "p95 ms"],
    Object.entries({ ...inProcess, ...overHttp }).map(([what, { p50, p95 }]) => [
      what,
      `${((100 * p50) / searched).toFixed(0)} %`,
      p50.toFixed(2),
      p95.toFixed(2),
    ]),
  );
}
