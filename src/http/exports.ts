/** Exports, by the tool that assistants use. A large one is a job to ask for again, and then a download. */
import { Hono } from "hono";
import { exportData } from "../mcp/tools/export-data.ts";
import type { ApiContext } from "./api.ts";
import { readObject } from "./read-json.ts";
import { runTool } from "./run-tool.ts";

const WANTED = 'Send {"format": "cofio"}, or json, markdown, pam.';

export function exports(context: ApiContext) {
  return new Hono()
    .post("/", async (c) =>
      c.json(await runTool(exportData, context, await readObject(c, WANTED), { job_id: null })),
    )
    .get("/:id", async (c) =>
      c.json(await runTool(exportData, context, { job_id: c.req.param("id") })),
    );
}
