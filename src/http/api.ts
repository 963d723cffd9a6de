/** The user's own HTTP API, served inside their object. What is thrown in it is caught here. */
import { Hono } from "hono";
import type { UserError } from "../errors.ts";
import type { ToolContext } from "../mcp/tool.ts";
import { getStats } from "../mcp/tools/get-stats.ts";
import type { Scope } from "../scopes.ts";
import type { LiveImport } from "../transfer/import-answer.ts";
import { conversations } from "./conversations.ts";
import type { BackupWork } from "../transfer/backup.ts";
import { backups, restores } from "./backups.ts";
import { downloads } from "./downloads.ts";
import { errorResponse } from "./error-response.ts";
import { exports } from "./exports.ts";
import { imports } from "./imports.ts";
import { memories } from "./memories.ts";
import { errorAnswer as storeErrorAnswer } from "./memory-store-answers.ts";
import { memoryStores } from "./memory-stores.ts";
import { memoryTool } from "./memory-tool.ts";
import { operations, undo } from "./operations.ts";
import { explained } from "./require-scope.ts";
import { rules } from "./rules.ts";
import type { Stats } from "./openapi/answers.ts";
import { runTool } from "./run-tool.ts";
import { sync } from "./sync.ts";
import { timeline } from "./timeline.ts";
import { verify } from "./verify.ts";

/** Has a backup, a rehearsal or a restore done in the background. @param record writes the job down, and says whether there is one to do */
export type StartBackup = <T extends { readonly isNew: boolean }>(
  work: BackupWork,
  record: () => Promise<T>,
) => Promise<T>;

export interface ApiContext extends ToolContext {
  readonly scopes: readonly Scope[];
  /** By the person's will: scopes that they would have otherwise are missing. */
  readonly isReadOnly: boolean;
  /** Shows the person's own pages how an import stands. */
  readonly showImport: (jobId: string, standing: LiveImport) => void;
  readonly startBackup: StartBackup;
}

/** They are POST, because a person's words do not belong into addresses, and change nothing. */
const READING: readonly string[] = [
  "/api/memories/search",
  "/api/conversations/search",
  "/api/rules/effects",
];

/** For Hono's typed client. */
export type Api = ReturnType<typeof createApi>;

export function createApi(context: ApiContext) {
  const api = new Hono()
    .use(async ({ req }, next) => {
      await next();
      if (req.method !== "GET" && !READING.includes(req.path)) await context.tellChanges();
    })
    .route("/v1/memory_stores", memoryStores(context))
    .basePath("/api")
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
    .get("/stats", async (c) => c.json(await runTool<Stats>(getStats, context)))
    .route("/sync", sync(context))
    .route("/timeline", timeline(context))
    .route("/undo", undo(context))
    .route("/verify", verify(context));
  api.notFound((c) => c.json({ error: { code: "not_found", message: "No such route." } }, 404));
  api.onError((error, c) => errorResponse(explained(error, context), c));
  return api;
}

/** In place of the API for whom the person holds back: every route says so, and nothing of the account is opened for that. */
export function createRefusingApi(refusal: UserError) {
  const refuse = (): never => {
    throw refusal;
  };
  return new Hono()
    .route("/v1", new Hono().onError(storeErrorAnswer).all("*", refuse))
    .all("*", refuse)
    .onError(errorResponse);
}
