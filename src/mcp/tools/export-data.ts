import * as z from "zod";
import { EXPORT_PARTS, type ExportPart } from "../../transfer/export.ts";
import {
  createExportJob,
  EXPORT_FORMATS,
  exportInline,
  getExport,
  type ExportFormatName,
  type ExportPlan,
} from "../../transfer/export-job.ts";
import { UserError } from "../../errors.ts";
import type { JobRow } from "../../storage/jobs.ts";
import { newJobId } from "../../vault/ids.ts";
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
    "Export all memories and conversations. `cofio`: one zip of everything, versions and history included, from which an empty account is restored exactly; the best backup. `json` (import_data reads it), `markdown`, `pam` (Portable AI Memory; memories only): inline if small, else as a download link for the signed-in user. Ask again with `job_id` while it runs.",
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
    const plan = planOf(format, include, caller.now);
    if (plan.format === "cofio") {
      if (deliver === "inline") {
        throw new UserError(
          "invalid_input",
          "A `cofio` archive is a zip, which cannot be given inline.",
          'Send deliver "auto" for a download link, or format "json".',
        );
      }
    } else if (deliver !== "archive") {
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
    const jobId = newJobId();
    await startExport(jobId, plan, () => createExportJob(account, plan, caller, jobId));
    for (let poll = 0; poll < POLLS; poll++) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const job = await getExport(account, jobId, caller.now);
      if (job.state === "finished" || job.state === "failed") return jobAnswer(job, publicOrigin);
    }
    return jobAnswer(await getExport(account, jobId, caller.now), publicOrigin);
  },
});

function planOf(
  format: ExportFormatName,
  include: readonly string[] | undefined,
  now: number,
): ExportPlan {
  const parts = readParts(include);
  switch (format) {
    case "cofio":
      if (parts.length < EXPORT_PARTS.length) {
        throw new UserError(
          "invalid_input",
          "A `cofio` archive always holds everything.",
          'Leave `include` out, or send format "json".',
        );
      }
      return { format, startedAt: now };
    case "pam":
      if (!parts.includes("memories")) {
        throw new UserError(
          "invalid_input",
          "A `pam` export holds memories only: that format has a file per conversation.",
          'Send format "json" or "cofio" for conversations.',
        );
      }
      return { format, include: ["memories"], startedAt: now };
    case "json":
    case "markdown":
      return { format, include: parts, startedAt: now };
  }
}

function readParts(include: readonly string[] | undefined): ExportPart[] {
  if (include === undefined || include.length === 0) return [...EXPORT_PARTS];
  const parts = include.map((name) => {
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
  return [...new Set(parts)];
}

export function jobAnswer(job: JobRow, publicOrigin: string) {
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
