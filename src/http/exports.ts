/** Exports, by the tool that assistants use. A large one is a job to ask for again, and then a download. */
import { Hono } from "hono";
import { iso } from "../mcp/answers.ts";
import { exportData, jobAnswer } from "../mcp/tools/export-data.ts";
import type { ApiContext } from "./api.ts";
import type { Exported, ListedExport } from "./openapi/answers.ts";
import { readObject } from "./read-json.ts";
import { requireScope } from "./require-scope.ts";
import { runTool } from "./run-tool.ts";
import { takesJson, type InputOf } from "./takes.ts";

const WANTED = 'Send {"format": "cofio"}, or json, markdown, pam.';
/** They are kept for a week. Arbitrary. */
const MOST_LISTED = 50;

export function exports(context: ApiContext) {
  const { account, caller, scopes, publicOrigin } = context;
  return new Hono()
    .get("/", async (c) => {
      requireScope(scopes, "data:export");
      const jobs = await account.jobs.exports(caller.now, MOST_LISTED);
      const exports = jobs.map((job) => ({
        ...jobAnswer(job, publicOrigin).structured,
        format: job.format,
        made_by: job.client,
        created_at: iso(job.createdAt),
      }));
      // As the tool answers each, which test/http/api-document.test.ts parses.
      return c.json({ exports: exports as unknown as ListedExport[] });
    })
    .post("/", takesJson<Omit<InputOf<typeof exportData>, "job_id">>(), async (c) => {
      const asked = await readObject(c, WANTED);
      return c.json(await runTool<Exported>(exportData, context, asked, { job_id: null }));
    })
    .get("/:id", async (c) =>
      c.json(await runTool<Exported>(exportData, context, { job_id: c.req.param("id") })),
    );
}
