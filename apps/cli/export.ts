import { createHash } from "node:crypto";
import { existsSync, renameSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod";
import { UserError } from "../../src/errors.ts";
import { EXPORT_FORMATS } from "../../src/transfer/export-job.ts";
import { readArguments, TARGET_USAGE, targetOptions, WrongUse } from "./arguments.ts";
import { awaitJob } from "./await-job.ts";
import type { Command } from "./command.ts";
import { callApi, callTool, openTarget, type Target } from "./target.ts";
import { openProgress, type Progress, print, printJson, sizeText } from "./terminal.ts";

const answerSchema = z.object({
  job: z.object({ id: z.string(), state: z.string() }),
  counts: z.record(z.string(), z.number()).optional(),
  download: z.object({ bytes: z.number(), sha256: z.string() }).optional(),
});
type ExportAnswer = z.infer<typeof answerSchema>;

export const exportAll: Command = {
  usage: `cofio export [--output FILE | -]
  Everything as one file. An empty Cofio becomes the same again from it: cofio import FILE

  --output FILE     where to (default: cofio-DATE.zip here); - writes to stdout
  --format NAME     ${EXPORT_FORMATS.join(", ")} (default: cofio; the others leave earlier versions out)
  --force           replace a file that is there
${TARGET_USAGE}`,
  async run(argv) {
    const { values, positionals } = readArguments(argv, {
      ...targetOptions,
      output: { type: "string", short: "o" },
      format: { type: "string", default: "cofio" },
      force: { type: "boolean", default: false },
    });
    if (positionals.length > 0) throw new WrongUse(`What is "${positionals[0]}"?`);
    const { output, format, force } = values;
    if (!EXPORT_FORMATS.some((name) => name === format)) {
      throw new WrongUse(`--format is one of ${EXPORT_FORMATS.join(", ")}.`);
    }
    if (output === "-" && values.json) throw new WrongUse("Either --json or --output -.");
    if (output !== undefined) {
      refuseNowhere(output);
      refuseExisting(output, force);
    }
    const target = await openTarget(values);
    const progress = openProgress();
    try {
      const { job, counts, download } = await archive(target, format, progress);
      const response = await callApi(target, `/downloads/${job.id}`);
      const file = output ?? nameOf(response);
      if (output === undefined) refuseExisting(file, force);
      await store(response, { file, ...download }, progress);
      progress.end();
      if (values.json) printJson({ file, counts, ...download });
      else if (file !== "-") {
        print(`${file}: ${summaryOf(counts ?? {})} (${sizeText(download.bytes)})`);
      }
      return 0;
    } finally {
      progress.end();
      target.close();
    }
  },
};

async function archive(target: Target, format: string, progress: Progress) {
  const ask = async (args: Readonly<Record<string, unknown>>): Promise<ExportAnswer> =>
    answerSchema.parse((await callTool(target, "export_data", args)).structured);
  progress.show(null, "Collecting everything …");
  const first = await ask({ format, deliver: format === "cofio" ? "auto" : "archive" });
  const { job, counts, download } = await awaitJob(first, {
    stateOf: (answer) => answer.job.state,
    askAgain: (answer) => ask({ job_id: answer.job.id }),
  });
  if (download === undefined)
    throw new UserError("invalid_input", "The export failed.", "Try again.");
  return { job, counts, download };
}

interface Destination {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Beside its place first, so that half of an archive never has its name. */
async function store(
  response: Response,
  { file, bytes, sha256 }: Destination,
  progress: Progress,
): Promise<void> {
  const draft = file === "-" ? null : `${file}.part`;
  // Everything that the person ever saved, and in the clear: into a file of our own, whatever had that name.
  if (draft !== null) rmSync(draft, { force: true });
  const out = draft === null ? null : await open(draft, "wx", 0o600);
  try {
    const hash = createHash("sha256");
    let read = 0;
    for await (const chunk of response.body ?? []) {
      await write(out, chunk);
      hash.update(chunk);
      read += chunk.length;
      progress.show(read / bytes, `${sizeText(read)} of ${sizeText(bytes)}`);
    }
    await out?.sync();
    const written = (await out?.stat())?.size ?? read;
    if (read !== bytes || written !== bytes || hash.digest("hex") !== sha256) {
      throw new UserError(
        "invalid_input",
        "The download is not what the server made.",
        "Try again.",
      );
    }
    if (draft !== null) renameSync(draft, file);
  } finally {
    await out?.close();
    if (draft !== null) rmSync(draft, { force: true });
  }
}

async function write(out: FileHandle | null, chunk: Uint8Array): Promise<void> {
  if (out !== null) {
    // Until all of it is written: `write` stops where a disk is full.
    await out.writeFile(chunk);
  } else if (!process.stdout.write(chunk)) {
    await new Promise((drained) => process.stdout.once("drain", drained));
  }
}

/** Before everything is collected in vain. */
function refuseNowhere(file: string): void {
  const folder = dirname(file);
  if (file === "-" || existsSync(folder)) return;
  throw new UserError("not_found", `There is no folder ${folder}.`, "Choose another --output.");
}

function refuseExisting(file: string, force: boolean): void {
  if (file === "-" || force || !existsSync(file)) return;
  throw new UserError(
    "invalid_input",
    `${file} is there already.`,
    "Choose another --output, or add --force.",
  );
}

function nameOf(response: Response): string {
  const disposition = response.headers.get("content-disposition") ?? "";
  // A plain name: a server does not choose the folder.
  return /filename="([\w][\w.-]*)"/u.exec(disposition)?.[1] ?? "cofio-export";
}

/** Kinds are plurals with underscores, as the server counts them. */
function summaryOf(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => {
      const words = kind.replaceAll("_", " ");
      return `${count} ${count === 1 ? words.replace(/ies$/u, "y").replace(/s$/u, "") : words}`;
    });
  return parts.length === 0 ? "nothing was saved yet" : parts.join(", ");
}
