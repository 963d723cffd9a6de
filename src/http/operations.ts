/** What was done to the account, and undoing it. */
import { Hono } from "hono";
import * as z from "zod";
import { UserError } from "../errors.ts";
import { restoredBackup, undoOperation, type UndoResult } from "../memory/undo.ts";
import { countsOf, isArchiveRestore, type OperationRow } from "../storage/operations.ts";
import type { ApiContext } from "./api.ts";
import { readJson } from "./read-json.ts";
import { requireScope } from "./require-scope.ts";
import { takesJson, takesQuery } from "./takes.ts";

const WANTED =
  'Send {"grant_id": "…", "since": "2026-11-22T00:00:00Z"}; the ids stand in GET /api/operations/clients.';
const PAGE = 50;
/** Arbitrary. */
const MOST_CLIENTS = 200;
/**
 * Statements of the database: the request's own (3 here, and those that find out who asks), an undo's of a single item (some 16) and of an import (as many as a request of the free
 * plan may), and what reads a restored backup and the one before it.
 */
const STATEMENTS = { ofRequest: 10, ofOne: 20, ofMany: 50, ofRestored: 2 } as const;
/** An undo changes, trashes, and takes back imports: a token needs every right that those need. */
const UNDO_SCOPES = ["memories:write", "memories:delete", "data:import"] as const;

export const listSchema = z.object({
  before: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(PAGE),
});
export const undoSchema = z.object({
  grant_id: z.string(),
  since: z.iso.datetime({ offset: true }),
  before: z.string().optional(),
});
export const previewSchema = undoSchema.omit({ before: true });

export function operations({ account, caller, scopes }: ApiContext) {
  return new Hono()
    .get("/", takesQuery<z.input<typeof listSchema>>(), async (c) => {
      requireScope(scopes, "memories:read");
      const { before, limit } = parse(listSchema, c.req.query());
      const rows = await account.operations.list(before ?? null, limit);
      const last = rows.length === limit ? (rows.at(-1)?.id ?? null) : null;
      return c.json({ operations: rows.map(operationAnswer), next_before: last });
    })
    .get("/clients", async (c) => {
      requireScope(scopes, "memories:read");
      const clients = await account.operations.clients(MOST_CLIENTS);
      return c.json({
        clients: clients.map(({ grantId, client, operations, lastAt }) => ({
          grant_id: grantId,
          client,
          operations,
          last_at: new Date(lastAt).toISOString(),
        })),
      });
    })
    .post("/:id/undo", async (c) => {
      for (const scope of UNDO_SCOPES) requireScope(scopes, scope);
      return c.json(undoAnswer(await undoOperation(account, c.req.param("id"), caller)));
    });
}

/** Everything that one client did from a time on, the latest first. */
export function undo({ account, caller, scopes }: ApiContext) {
  return new Hono()
    .post("/preview", takesJson<z.input<typeof previewSchema>>(), async (c) => {
      requireScope(scopes, "memories:read");
      const { grant_id, since } = parse(previewSchema, await readJson(c, WANTED));
      const kinds = await account.operations.sumsSince(grant_id, Date.parse(since));
      const operations = kinds.reduce((sum, { operations }) => sum + operations, 0);
      return c.json({ operations, kinds });
    })
    .post("/", takesJson<z.input<typeof undoSchema>>(), async (c) => {
      for (const scope of UNDO_SCOPES) requireScope(scopes, scope);
      const { grant_id, since, before } = parse(undoSchema, await readJson(c, WANTED));
      const { statements } = account.plan;
      const rows = await account.operations.since(grant_id, Date.parse(since), {
        before: before ?? null,
        limit: PAGE,
      });
      const results: UndoneOperation[] = [];
      let spent: number = STATEMENTS.ofRequest;
      for (const row of rows) {
        const { id: undoes } = row;
        if (row.kind === "restore") spent += STATEMENTS.ofRestored;
        if (results.length > 0 && spent > statements) break;
        const restored = await restoredBackup(account, row);
        if (restored !== null) {
          const { backupBefore } = restored;
          results.push({
            undoes,
            not_undone: "restored_backup",
            ...(backupBefore === null ? {} : { backup_before: backupBefore }),
          });
          continue;
        }
        const isOfMany = row.subject === null || isArchiveRestore(row);
        spent += isOfMany ? STATEMENTS.ofMany : STATEMENTS.ofOne;
        if (results.length > 0 && spent > statements) break;
        results.push({ undoes, ...undoAnswer(await undoOperation(account, undoes, caller)) });
      }
      const isMore = results.length < rows.length || rows.length === PAGE;
      return c.json({ results, next_before: isMore ? (results.at(-1)?.undoes ?? null) : null });
    });
}

type UndoneOperation = { readonly undoes: string } & (
  | ReturnType<typeof undoAnswer>
  | { readonly not_undone: "restored_backup"; readonly backup_before?: string }
);

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

function undoAnswer({ operationId, undone, left, purged, keepsRules }: UndoResult) {
  return {
    operation_id: operationId,
    undone,
    left,
    purged,
    ...(keepsRules ? { rules_kept: true as const } : {}),
  };
}
