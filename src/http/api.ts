/** The user's own HTTP API, served inside their object. The only place besides `mcp/server.ts` that catches. */
import { Hono } from "hono";
import type { UserErrorCode } from "../errors.ts";
import { reportError } from "../log.ts";
import { errorAnswer } from "../mcp/answers.ts";
import type { ToolContext } from "../mcp/tool.ts";
import { getStats } from "../mcp/tools/get-stats.ts";
import type { Scope } from "../scopes.ts";
import { userErrorOf } from "../storage/plan.ts";
import type { LiveImport } from "../transfer/import-answer.ts";
import { conversations } from "./conversations.ts";
import type { BackupWork } from "../transfer/backup.ts";
import { backups, restores } from "./backups.ts";
import { downloads } from "./downloads.ts";
import { exports } from "./exports.ts";
import { imports } from "./imports.ts";
import { memories } from "./memories.ts";
import { memoryStores } from "./memory-stores.ts";
import { memoryTool } from "./memory-tool.ts";
import { operations, undo } from "./operations.ts";
import { rules } from "./rules.ts";
import { runTool } from "./run-tool.ts";

export interface ApiContext extends ToolContext {
  readonly scopes: readonly Scope[];
  /** Shows the person's own pages how an import stands. */
  readonly showImport: (jobId: string, standing: LiveImport) => void;
  readonly startBackup: (work: BackupWork) => Promise<void>;
}

const STATUS = {
  not_found: 404,
  invalid_input: 400,
  too_large: 413,
  version_conflict: 409,
  idempotency_conflict: 409,
  unsupported_format: 415,
  forbidden: 403,
  expired: 410,
  limit_reached: 429,
} as const satisfies Record<UserErrorCode, number>;

export function createApi(context: ApiContext) {
  const api = new Hono()
    .route("/v1/memory_stores", memoryStores(context))
    .basePath("/api")
    .use(async (c, next) => {
      await next();
      if (c.req.method !== "GET") await context.tellChanges();
    })
    .route("/backups", backups(context))
    .route("/conversations", conversations(context))
    .route("/downloads", downloads(context))
    .route("/exports", exports(context))
    .route("/imports", imports(context))
    .route("/memories", memories(context))
    .route("/memory-tool", memoryTool(context))
    .route("/operations", operations(context))
    .route("/restores", restores(context))
    .route("/rules", rules(context))
    .get("/stats", async (c) => c.json(await runTool(getStats, context)))
    .route("/undo", undo(context));
  api.notFound((c) => c.json({ error: { code: "not_found", message: "No such route." } }, 404));
  api.onError((error, c) => {
    const told = userErrorOf(error);
    if (told !== null) return c.json({ error: errorAnswer(told).error }, STATUS[told.code]);
    const message = reportError(c.req.routePath, error);
    return c.json({ error: { code: "internal", message, hint: "Try again." } }, 500);
  });
  return api;
}
