import * as z from "zod";
import { EXPORT_FORMATS, EXPORT_PARTS } from "../../transfer/export.ts";
import { createExportJob, exportInline, getExport } from "../../transfer/export-job.ts";
import { UserError } from "../../errors.ts";
import type { JobRow } from "../../storage/jobs.ts";
import { compact, iso } from "../answers.ts";
import { list } from "../fields.ts";
import { defineTool } from "../tool.ts";

/** How often and how long a call waits for an archive before it answers with the job: well below any client's time limit. */
const POLLS = 12;
const POLL_MS = 400;

export const exportData = defineTool({
  name: "export_data",
  title: "Export data",
  description:
    "Export all memories and conversations as JSON (which import_data reads back) or Markdown. Small exports are given inline; larger ones as a download link for the signed-in user. Ask again with `job_id` while it runs.",
  input: z.object({
    format: z.enum(EXPORT_FORMATS).default("json"),
    include: list(2).describe("memories, conversations; both by default"),
    deliver: z.enum(["auto", "inline", "archive"]).default("auto"),
    job_id: z.string().max(64).optional(),
  }),
  aliases: { job: "job_id", delivery: "deliver" },
  output: { data: "string", counts: "object", job: "object", download: "object" },
  annotations: {
    // It reads all there is and leaves a job behind: clients should ask before they run it.
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: false,
    openWorldHint: false,
  },
  scope: "data:export",

  async run({ format, include, deliver, job_id }, { account, caller, publicOrigin, startExport }) {
    if (job_id !== undefined) {
      return jobAnswer(await getExport(account, job_id, caller.now), publicOrigin);
    }
    const plan = { format, include: readParts(include), startedAt: caller.now };
    if (deliver !== "archive") {
      const inline = await exportInline(account, plan);
      if (inline !== null) {
        await account.jobs.recordExport(caller.now);
        return {
          structured: { data: inline.text, counts: inline.counts },
          text: inline.text,
        };
      }
      if (deliver === "inline") {
        throw new UserError(
          "too_large",
          "The export is larger than 32 KiB.",
          'Send deliver "archive" for a download link.',
        );
      }
    }
    const jobId = await createExportJob(account, plan, caller);
    await startExport(jobId, plan);
    for (let poll = 0; poll < POLLS; poll++) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const job = await getExport(account, jobId, caller.now);
      if (job.state === "finished" || job.state === "failed") return jobAnswer(job, publicOrigin);
    }
    return jobAnswer(await getExport(account, jobId, caller.now), publicOrigin);
  },
});

function readParts(include: readonly string[] | undefined) {
  if (include === undefined || include.length === 0) return [...EXPORT_PARTS];
  return include.map((name) => {
    const part = EXPORT_PARTS.find((known) => known === name);
    if (part === undefined) {
      throw new UserError(
        "invalid_input",
        "`include` names something unknown.",
        'Send ["memories"], ["conversations"] or both.',
      );
    }
    return part;
  });
}

function jobAnswer(job: JobRow, publicOrigin: string) {
  if (job.state !== "finished") {
    return {
      structured: { job: { id: job.id, state: job.state } },
      text:
        job.state === "failed"
          ? "The export failed. Start it again."
          : `The export is ${job.state}. Ask again with job_id "${job.id}".`,
    };
  }
  const url = `${publicOrigin}/api/downloads/${job.id}`;
  return {
    structured: compact({
      job: { id: job.id, state: job.state },
      counts: JSON.parse(job.counts),
      download: compact({
        url,
        bytes: job.sizeBytes,
        sha256: job.sha256,
        expires_at: iso(job.expiresAt),
      }),
    }),
    text: `Ready: ${url} (${job.sizeBytes} bytes, until ${iso(job.expiresAt)?.slice(0, 10)}; opens for the signed-in user).`,
  };
}
