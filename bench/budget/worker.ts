/** The product itself, whole, on bindings that are counted. */
import product, { UserAgent as ProductAgent } from "../../src/index.ts";
import { countedBindings, countSql, newCounts } from "./counted-bindings.ts";

export { BackupWorkflow, ExportWorkflow, ScratchDatabase } from "../../src/index.ts";

/** Answers with what was counted since it was asked before. */
const COUNTS_PATH = "/bench/counts";
/** A request with it is that of a person at a browser: their user id. */
const PERSON_HEADER = "bench-person";

// Of one isolate: locally the Worker and its objects share it.
const counts = newCounts();
const cursors: SqlStorageCursor<never>[] = [];

export class UserAgent extends ProductAgent {
  constructor(ctx: DurableObjectState, env: Env) {
    countSql(ctx.storage.sql, cursors);
    super(ctx, countedBindings(env, counts));
  }
}

export default {
  fetch(request, env, ctx): Response | Promise<Response> {
    if (new URL(request.url).pathname === COUNTS_PATH) return Response.json(takeCounts());
    const LOCAL_PERSON = request.headers.get(PERSON_HEADER) ?? "";
    return product.fetch(request, { ...countedBindings(env, counts), LOCAL_PERSON }, ctx);
  },
} satisfies ExportedHandler<Env>;

function takeCounts() {
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
