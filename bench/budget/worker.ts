/** The product itself, whole, on bindings that are counted. */
import product, { UserAgent as ProductAgent } from "../../src/index.ts";
import { countedBindings, countSql, newCounts } from "./counted-bindings.ts";
import { askAgain, isReading, recordedD1, type Asked } from "./recorded-d1.ts";

export { BackupWorkflow, ExportWorkflow, ScratchDatabase } from "../../src/index.ts";

/** Answers with what was counted since it was asked before. */
const COUNTS_PATH = "/bench/counts";
/** Asks the database again what it was asked since then, so often, but for what would change something. */
const REPLAY_PATH = "/bench/replay";
/** A request with it is that of a person at a browser: their user id. */
const PERSON_HEADER = "bench-person";

// Of one isolate: locally the Worker and its objects share it.
const counts = newCounts();
const cursors: SqlStorageCursor<never>[] = [];
const asked: Asked[] = [];

export class UserAgent extends ProductAgent {
  constructor(ctx: DurableObjectState, env: Env) {
    countSql(ctx.storage.sql, cursors);
    super(ctx, watchedBindings(env));
  }
}

export default {
  async fetch(request, env, ctx): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === COUNTS_PATH) return Response.json(takeCounts());
    if (pathname === REPLAY_PATH) {
      await replay(env.DB, Number(searchParams.get("times")));
      return new Response();
    }
    const LOCAL_PERSON = request.headers.get(PERSON_HEADER) ?? "";
    return product.fetch(request, { ...watchedBindings(env), LOCAL_PERSON }, ctx);
  },
} satisfies ExportedHandler<Env>;

function watchedBindings(env: Env): Env {
  const counted = countedBindings(env, counts);
  return { ...counted, DB: recordedD1(counted.DB, (one) => asked.push(one)) };
}

async function replay(d1: D1Database, times: number): Promise<void> {
  const reading = asked.filter(isReading);
  for (let time = 0; time < times; time++) await askAgain(d1, reading);
}

function takeCounts() {
  asked.splice(0);
  for (const { rowsRead, rowsWritten } of cursors.splice(0)) {
    counts.objectRowsRead += rowsRead;
    counts.objectRowsWritten += rowsWritten;
  }
  const taken = structuredClone(counts);
  // In place: the bindings of an object, which outlives many requests, count into this one.
  const { d1, ...others } = newCounts();
  Object.assign(counts.d1, d1);
  Object.assign(counts, others);
  return taken;
}
