/** What `cofio sync` reads and writes of a side: a list without text, lines of items, and units of them (`transfer/sync.ts`). */
import { Hono, type Context } from "hono";
import * as z from "zod";
import { UserError } from "../errors.ts";
import { listItems, readLines } from "../transfer/sync-read.ts";
import { beginSync, writeUnits } from "../transfer/sync-write.ts";
import { syncSchemas, type SyncKind } from "../transfer/sync-wire.ts";
import type { ApiContext } from "./api.ts";
import { boundedBody } from "./bounded-body.ts";
import { readJson } from "./read-json.ts";
import { requireScope } from "./require-scope.ts";

/** As of an import's batch: 1.5 million characters, or one larger item. */
const MAX_BATCH_BYTES = 8 * 1_048_576;
const WANTED = "Send what /api/docs describes.";

export function sync({ account, caller, scopes }: ApiContext) {
  const list = async (c: Context, kind: SyncKind) => {
    requireScope(scopes, "data:export");
    const { after = "" } = check(syncSchemas().page, c.req.query());
    return c.json(await listItems(account, kind, after));
  };
  return new Hono()
    .post("/begin", async (c) => {
      requireScope(scopes, "data:import");
      return c.json(await beginSync(account, caller));
    })
    .get("/memories", (c) => list(c, "memory"))
    .get("/conversations", (c) => list(c, "conversation"))
    .post("/lines", async (c) => {
      requireScope(scopes, "data:export");
      const { memories, conversations, from } = await parse(c, syncSchemas().lines);
      const kind = memories.length > 0 ? "memory" : "conversation";
      const ids = [...new Set(kind === "memory" ? memories : conversations)];
      return c.json(await readLines(account, kind, { ids, from }));
    })
    .post("/write", async (c) => {
      requireScope(scopes, "data:import");
      const write = await parse(c, syncSchemas().write);
      return c.json(await account.oneAtATime(() => writeUnits(account, write, caller)));
    });
}

async function parse<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const body = boundedBody(
    c.req.raw,
    MAX_BATCH_BYTES,
    new UserError("too_large", "The body is larger than 8 MiB.", "Send fewer items at once."),
  );
  return check(schema, await readJson({ req: body }, WANTED));
}

/** @throws UserError invalid_input */
function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UserError(
    "invalid_input",
    "This has not the shape of the call.",
    z.prettifyError(parsed.error).slice(0, 500),
  );
}
