/** Runs the product's functions inside an object, as the product does, on a database that can be metered. */
import { DurableObject } from "cloudflare:workers";
import { createAccount } from "../../src/auth/create-account.ts";
import { searchConversations } from "../../src/conversations/search.ts";
import { saveMemory } from "../../src/memory/save.ts";
import { searchMemories } from "../../src/memory/search.ts";
import type { Caller, OpenAccount } from "../../src/storage/open-account.ts";
import { inflateChunk } from "../../src/transfer/archive-zip.ts";
import {
  beginExport,
  checkFiles,
  createExportJob,
  describeArchive,
  finishExport,
  sumExport,
  writeChunks,
  type ExportProgress,
} from "../../src/transfer/export-job.ts";
import { importReading } from "../../src/transfer/import.ts";
import type { ExportReading } from "../../src/transfer/read.ts";
import { keepIndex } from "../../src/upkeep.ts";
import { openUser } from "../../src/user.ts";
import { watched } from "../../test/support/watched-d1.ts";
import { percentile } from "../support/percentile.ts";
import { meteredBuffers, type BufferMeter } from "./metered-buffers.ts";
import { meteredD1, newMeter } from "./metered-d1.ts";
import { memoryOf } from "./synthetic.ts";
import { syntheticConversations, syntheticMemories } from "./synthetic-reading.ts";
import { timeEach, type Timing } from "./timing.ts";

/** What the product asked of its database once, asked again. */
type Ask = () => unknown;

interface BenchEnv extends Env {
  readonly BENCH: DurableObjectNamespace<Bench>;
}

/** What Node may call, with JSON both ways. */
export type Calls = Omit<Bench, keyof DurableObject>;

export interface Call {
  readonly method: keyof Calls;
  readonly args: readonly unknown[];
}

export type Kind = "memories" | "messages";

export interface Cost {
  readonly roundTrips: number;
  readonly rowsRead: number;
}

export interface Measured extends Timing {
  /** Of the items: the medians, and the most rows of all. */
  readonly median: Cost;
  readonly mostRowsRead: number;
}

export interface Hit {
  readonly id: string;
  readonly relevance: number;
}

/** An export on its way, with JSON both ways. */
export interface ExportRun {
  readonly user: string;
  readonly jobId: string;
  readonly plan: { readonly format: "cofio"; readonly startedAt: number };
  readonly progress: ExportProgress;
}

export interface ArchiveSizes {
  readonly zipBytes: number;
  readonly textBytes: number;
  /** Of one chunk. */
  readonly largestText: number;
}

/** Round trips and searches: each loop takes some milliseconds, the clock's own step. */
const IN_A_ROW = 4;
const HITS = 10;
/** Large enough that the number of hits cuts an answer. */
const MAX_TOKENS = 50_000;
const CALLER = { grantId: "bench", client: "Bench", source: "api", trusted: false } as const;

export class Bench extends DurableObject<BenchEnv> {
  override async fetch(request: Request): Promise<Response> {
    // Both true because `withRuntime` alone calls, through the type of the method.
    const { method, args } = (await request.json()) as Call;
    const call = this[method] as (...args: readonly unknown[]) => Promise<unknown>;
    return Response.json((await Reflect.apply(call, this, args)) ?? null);
  }

  async createUser(user: string): Promise<void> {
    await createAccount(this.env, user, { timeZone: "UTC", locale: "en" });
  }

  /** Imports the user's memories `from` to below `to`. */
  async importMemories(user: string, from: number, to: number): Promise<void> {
    await this.importAll(user, syntheticMemories(user, from, to));
    await this.upkeep(user);
  }

  /** Imports the user's conversations `from` to below `to`. */
  async importConversations(user: string, from: number, to: number): Promise<void> {
    await this.importAll(user, syntheticConversations(user, from, to));
    await this.upkeep(user);
  }

  /** What every figure is compared with. */
  async measureRoundTrip(items: number): Promise<Timing> {
    const statement = this.env.DB.prepare("SELECT 1");
    const numbers = Array.from({ length: items }, (_, at) => at);
    return timeEach(numbers, { inARow: IN_A_ROW, ask: () => statement.all() });
  }

  async measureSearch(user: string, kind: Kind, queries: string[]): Promise<Measured> {
    const costs: Cost[] = [];
    for (const query of queries) {
      costs.push(await this.meter(user, (at) => search(at, kind, query)));
    }
    const at = await this.open(user);
    const timing = await timeEach(queries, {
      inARow: IN_A_ROW,
      ask: (query) => search(at, kind, query),
    });
    return { ...timing, ...summary(costs) };
  }

  /** The statements of searches of memories once more, without reading the question, ranking, and opening what was found. */
  async measureBareSearch(user: string, queries: string[]): Promise<Timing> {
    const searches: Ask[][] = [];
    for (const query of queries) {
      const asked: Ask[] = [];
      const DB = watched(this.env.DB, (_statements, ask) => {
        asked.push(ask);
        return ask();
      });
      const at = await this.open(user, { ...this.env, DB });
      const opening = asked.length;
      await search(at, "memories", query);
      searches.push(asked.slice(opening));
    }
    const ask = async (search: readonly Ask[]) => {
      for (const again of search) await again();
    };
    return timeEach(searches, { inARow: IN_A_ROW, ask });
  }

  /** Saves memories of the user from number `from` on, six times `count`. */
  async measureSave(user: string, from: number, count: number): Promise<Measured> {
    let next = from;
    const save = async (at: OpenAccount) => {
      const { content } = memoryOf(user, next);
      next += 1;
      const { outcome } = await saveMemory(at, { content, tags: [] }, caller());
      if (outcome !== "created") throw new Error(`A save ended as ${outcome}`);
    };
    const slots = Array.from({ length: count }, (_, slot) => slot);
    const costs: Cost[] = [];
    for (const _ of slots) costs.push(await this.meter(user, save));
    const at = await this.open(user);
    const timing = await timeEach(slots, { inARow: 1, ask: () => save(at) });
    return { ...timing, ...summary(costs) };
  }

  /** The first ten hits of each query. */
  async find(user: string, kind: Kind, queries: string[]): Promise<Hit[][]> {
    const at = await this.open(user);
    const found: Hit[][] = [];
    for (const query of queries) found.push(await search(at, kind, query));
    return found;
  }

  async beginArchive(user: string): Promise<ExportRun> {
    const plan = { format: "cofio", startedAt: Date.now() } as const;
    const jobId = await createExportJob(await this.open(user), plan, caller());
    return { user, jobId, plan, progress: beginExport(plan) };
  }

  /** A step of the export, as the workflow makes it. */
  async writeArchive(run: ExportRun): Promise<ExportRun & { readonly buffers: BufferMeter }> {
    const buffers: BufferMeter = { largestAnswer: 0, largestObject: 0 };
    const at = await this.open(run.user, meteredBuffers(this.env, buffers));
    return { ...run, progress: await writeChunks(at, run.plan, run), buffers };
  }

  /** @returns whether there is more to check */
  async checkArchive({ user, jobId, progress }: ExportRun, round: number): Promise<boolean> {
    return checkFiles(await this.open(user), { jobId, progress, round });
  }

  async describeArchive({ user, ...run }: ExportRun, rounds: number): Promise<void> {
    await describeArchive(await this.open(user), run.plan, { ...run, rounds });
  }

  /** @returns whether there is more to hash */
  async sumArchive({ user, ...run }: ExportRun, round: number): Promise<boolean> {
    return sumExport(await this.open(user), run.plan, { ...run, round });
  }

  async finishArchive({ user, ...run }: ExportRun, rounds: number): Promise<void> {
    await finishExport(await this.open(user), run.plan, { ...run, rounds, now: Date.now() });
  }

  async measureArchive({ user, jobId, progress }: ExportRun): Promise<ArchiveSizes> {
    const at = await this.open(user);
    const job = await at.jobs.get(jobId);
    let largestText = 0;
    let textBytes = 0;
    for (let chunk = 0; chunk < progress.chunk; chunk++) {
      const { length } = inflateChunk(await at.archives.readChunk(jobId, chunk));
      largestText = Math.max(largestText, length);
      textBytes += length;
    }
    return { zipBytes: job?.sizeBytes ?? 0, textBytes, largestText };
  }

  /** What the product's object does some time after a request. */
  private async upkeep(user: string): Promise<void> {
    while (!(await keepIndex(this.env.DB, await this.open(user))));
  }

  private async open(user: string, env: BenchEnv = this.env): Promise<OpenAccount> {
    const account = await openUser(env, user);
    if (account === null) throw new Error(`There is no user ${user}`);
    return account;
  }

  private async importAll(user: string, reading: ExportReading): Promise<void> {
    const { state } = await importReading(await this.open(user), reading, caller());
    if (state !== "finished") throw new Error(`The import is ${state}`);
  }

  private async meter(user: string, ask: (at: OpenAccount) => Promise<unknown>): Promise<Cost> {
    const meter = newMeter();
    const at = await this.open(user, { ...this.env, DB: meteredD1(this.env.DB, meter) });
    const { roundTrips, rowsRead } = meter;
    await ask(at);
    return { roundTrips: meter.roundTrips - roundTrips, rowsRead: meter.rowsRead - rowsRead };
  }
}

async function search(at: OpenAccount, kind: Kind, query: string): Promise<Hit[]> {
  const request = { query, limit: HITS, maxTokens: MAX_TOKENS };
  switch (kind) {
    case "memories": {
      const { hits } = await searchMemories(at, { ...request, minRelevance: 0 }, Date.now());
      return hits
        .filter(({ matched }) => matched)
        .map(({ memory, relevance }) => ({ id: memory.id, relevance }));
    }
    case "messages": {
      const { hits } = await searchConversations(at, { ...request, by: "message" }, Date.now());
      return hits.map(({ message, relevance }) => ({ id: message.id, relevance }));
    }
  }
}

function summary(costs: readonly Cost[]): Pick<Measured, "median" | "mostRowsRead"> {
  const rows = costs.map(({ rowsRead }) => rowsRead);
  const roundTrips = costs.map((cost) => cost.roundTrips);
  return {
    median: { roundTrips: percentile(roundTrips, 0.5), rowsRead: percentile(rows, 0.5) },
    mostRowsRead: Math.max(...rows),
  };
}

function caller(): Caller {
  return { ...CALLER, now: Date.now() };
}

export default {
  fetch: (request: Request, env: BenchEnv) => env.BENCH.getByName("bench").fetch(request),
};
