/** What was done to the account, and undoing it. */
import { Hono } from "hono";
import * as z from "zod";
import { UserError } from "../errors.ts";
import { undoOperation, type UndoResult } from "../memory/undo.ts";
import { countsOf, type OperationRow } from "../storage/operations.ts";
import type { ApiContext } from "./api.ts";
import { readJson } from "./read-json.ts";
import { requireScope } from "./require-scope.ts";

const WANTED =
  'Send {"grant_id": "…", "since": "2026-11-22T00:00:00Z"}; the ids stand in the list of operations.';
const PAGE = 50;
/** Operations that one request undoes, some ten queries each: a Worker may ask 1,000 in a request. */
const UNDONE_AT_ONCE = 20;
/** An undo changes, trashes, and takes back imports: a token needs every right that those need. */
const UNDO_SCOPES = ["memories:write", "memories:delete", "data:import"] as const;

const listSchema = z.object({
  before: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(PAGE),
});
const undoSchema = z.object({
  grant_id: z.string(),
  since: z.iso.datetime({ offset: true }),
  before: z.string().optional(),
});

export function operations({ account, caller, scopes }: ApiContext) {
  return new Hono()
    .get("/", async (c) => {
      requireScope(scopes, "memories:read");
      const { before, limit } = parse(listSchema, c.req.query());
      const rows = await account.operations.list(before ?? null, limit);
      const last = rows.length === limit ? (rows.at(-1)?.id ?? null) : null;
      return c.json({ operations: rows.map(operationAnswer), next_before: last });
    })
    .post("/:id/undo", async (c) => {
      for (const scope of UNDO_SCOPES) requireScope(scopes, scope);
      return c.json(undoAnswer(await undoOperation(account, c.req.param("id"), caller)));
    });
}

/** Everything that one client did from a time on, the latest first. */
export function undo({ account, caller, scopes }: ApiContext) {
  return new Hono().post("/", async (c) => {
    for (const scope of UNDO_SCOPES) requireScope(scopes, scope);
    const { grant_id, since, before } = parse(undoSchema, await readJson(c, WANTED));
    const rows = await account.operations.since(grant_id, Date.parse(since), {
      before: before ?? null,
      limit: UNDONE_AT_ONCE,
    });
    const results: UndoneOperation[] = [];
    for (const { id } of rows) {
      results.push({ undoes: id, ...undoAnswer(await undoOperation(account, id, caller)) });
    }
    const last = rows.length === UNDONE_AT_ONCE ? (rows.at(-1)?.id ?? null) : null;
    return c.json({ results, next_before: last });
  });
}

type UndoneOperation = { readonly undoes: string } & ReturnType<typeof undoAnswer>;

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: "is missing" };
  throw new UserError("invalid_input", `\`${path.join(".")}\`: ${message}.`, WANTED);
}

function operationAnswer(row: OperationRow) {
  const { id, kind, grantId, client, createdAt, undoesOp, subject } = row;
  return {
    id,
    kind,
    grant_id: grantId,
    client,
    created_at: new Date(createdAt).toISOString(),
    counts: countsOf(row),
    ...(undoesOp === null ? {} : { undoes: undoesOp }),
    ...(subject === null ? {} : { subject }),
  };
}

function undoAnswer({ operationId, undone, left, purged }: UndoResult) {
  return { operation_id: operationId, undone, left, purged };
}
