/** What `cofio sync` reads and writes of a side: a list without text, lines of items, and units of them (`transfer/sync.ts`). */
import { Hono, type Context } from "hono";
import { listItems, readLines } from "../transfer/sync-read.ts";
import { beginSync, writeUnits } from "../transfer/sync-write.ts";
import { syncSchemas, type SyncKind } from "../transfer/sync-wire.ts";
import type { ApiContext } from "./api.ts";
import { checkShape, readBatch } from "./read-batch.ts";
import { requireScope } from "./require-scope.ts";

const WANTED = "Send what /api/docs describes.";

export function sync({ account, caller, scopes }: ApiContext) {
  const list = async (c: Context, kind: SyncKind) => {
    requireScope(scopes, "data:export");
    const { after = "" } = checkShape(syncSchemas().page, c.req.query());
    return c.json(await listItems(account, kind, after));
  };
  return new Hono()
    .post("/begin", async (c) => {
      requireScope(scopes, "data:import");
      const begin = await readBatch(c, syncSchemas().begin, WANTED);
      return c.json(await beginSync(account, begin, caller));
    })
    .get("/memories", (c) => list(c, "memory"))
    .get("/conversations", (c) => list(c, "conversation"))
    .post("/lines", async (c) => {
      requireScope(scopes, "data:export");
      const { memories, conversations, from } = await readBatch(c, syncSchemas().lines, WANTED);
      const kind = memories.length > 0 ? "memory" : "conversation";
      const ids = [...new Set(kind === "memory" ? memories : conversations)];
      return c.json(await readLines(account, kind, { ids, from }));
    })
    .post("/write", async (c) => {
      requireScope(scopes, "data:import");
      const write = await readBatch(c, syncSchemas().write, WANTED);
      return c.json(await account.oneAtATime(() => writeUnits(account, write, caller)));
    });
}
