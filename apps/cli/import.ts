/** Reads exports of any size on this machine and sends them to a Cofio. Stopped in the middle, the same command goes on. */
import { createWriteStream, mkdtempSync, openAsBlob, readdirSync, rmSync, statSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import * as z from "zod";
import { UserError } from "../../src/errors.ts";
import { pastedList } from "../../src/transfer/formats/pasted-list.ts";
import type { CheckAnswer, ImportAnswer } from "../../src/transfer/import-answer.ts";
import type { ItemCounts } from "../../src/transfer/read.ts";
import { pluralOf } from "../../src/transfer/import-words.ts";
import { send, survey, type ImportProgress, type PreparedUpload } from "../../src/transfer/send.ts";
import { readArguments, TARGET_USAGE, targetOptions, WrongUse } from "./arguments.ts";
import type { Command } from "./command.ts";
import { END_SIGNALS } from "./end-signals.ts";
import { keepHeapSmall } from "./small-heap.ts";
import { callApi, jsonOf, openTarget, reach, type Target, type TargetValues } from "./target.ts";
import { clock, openProgress, print, printJson, type Progress } from "./terminal.ts";

export const importFiles: Command = {
  usage: `cofio import FILE… | -
  Imports exports of ChatGPT, Claude, Gemini and others, recognised by what is in them: zips or loose files of any size.
  A folder stands for the files in it, - for what comes over stdin. Importing the same again changes nothing.

  --undo OPERATION  take an earlier import back instead, as its report says
  --dry-run         only tell what an import would do
  --as list         text that an assistant printed about you, a memory a line
  --account ID      whose to import, where the files are of several accounts
${TARGET_USAGE}`,
  async run(argv) {
    const { values, positionals: paths } = readArguments(argv, {
      ...targetOptions,
      "dry-run": { type: "boolean", default: false },
      account: { type: "string" },
      as: { type: "string" },
      undo: { type: "string" },
    });
    if (values.undo !== undefined && paths.length > 0) {
      throw new WrongUse("Either --undo or files.");
    }
    if (values.as !== undefined && values.as !== "list") {
      throw new WrongUse("--as can only be: list.");
    }
    if (values.undo !== undefined) return takeBack(values.undo, values);
    if (paths.length === 0) throw new WrongUse("Which files are to be imported?");
    keepHeapSmall();
    const progress = openProgress();
    const files = await openFiles(paths);
    const upload = await read(files, values.as === "list", progress);
    const account = values.account ?? null;
    if (account === null) refuseSeveral(upload.survey.accounts);
    const target = await openTarget(values);
    try {
      const answer = await send(upload, {
        call: (path, body) => call(target, path, body),
        dryRun: values["dry-run"],
        account,
        onProgress: (now) => show(progress, now),
        onDelay: (nextTry) =>
          progress.show(null, `No answer from ${target.name}; trying again at ${clock(nextTry)}`),
        // Never used: a job that is cancelled does not go on, and this program's end cancels nothing.
        signal: new AbortController().signal,
      });
      progress.end();
      if (values.json) printJson(answer);
      else print(reportOf(answer));
      return 0;
    } finally {
      progress.end();
      target.close();
    }
  },
};

async function read(
  files: readonly File[],
  isList: boolean,
  progress: Progress,
): Promise<PreparedUpload> {
  progress.show(null, "Reading …");
  try {
    return await survey(files, undefined, isList ? pastedList : null);
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "unsupported_format" || isList) throw error;
    throw new UserError(
      error.code,
      error.message,
      `${error.hint}\nA list of memories, one a line, is imported with --as list.`,
    );
  } finally {
    progress.end();
  }
}

const undoneSchema = z.looseObject({
  undone: z.object({ memories: z.number(), conversations: z.number() }),
  left: z.array(z.unknown()),
});

async function takeBack(
  operation: string,
  values: TargetValues & { readonly json: boolean },
): Promise<number> {
  const target = await openTarget(values);
  try {
    const path = `/operations/${encodeURIComponent(operation)}/undo`;
    const response = await callApi(target, path, { method: "POST" });
    const answer = undoneSchema.parse(await response.json());
    const { undone, left } = answer;
    if (values.json) printJson(answer);
    else {
      print(
        `Taken back: ${undone.memories} memories and ${undone.conversations} conversations. Left as they are, mostly because they changed since: ${left.length}.`,
      );
    }
    return 0;
  } finally {
    target.close();
  }
}

async function call(target: Target, path: string, body: unknown) {
  const response = await reach(target, `/api/imports${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await jsonOf(response) };
}

async function openFiles(paths: readonly string[]): Promise<File[]> {
  const files: File[] = [];
  for (const path of paths) {
    const found = path === "-" ? [await keepStdin()] : filesIn(path);
    for (const file of found) files.push(await openFile(file));
  }
  return files;
}

/** Kept until this process ends, because files are read twice. A whole life in chats, in the clear: no end but SIGKILL leaves it there. */
async function keepStdin(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "cofio-import-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of END_SIGNALS) {
    // As a shell tells which signal it was.
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
  const file = join(folder, "stdin");
  await pipeline(process.stdin, createWriteStream(file, { mode: 0o600 }));
  return file;
}

function filesIn(path: string): string[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new UserError("not_found", `There is no ${path}.`, "");
  if (!stats.isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function openFile(path: string): Promise<File> {
  return new File([await openAsBlob(path)], basename(path));
}

function refuseSeveral(accounts: ReadonlyMap<string, number>): void {
  if (accounts.size <= 1) return;
  const choices = [...accounts].map(([id, count]) => `  --account ${id}  (${count} items)`);
  throw new UserError(
    "invalid_input",
    "These files are of several accounts.",
    `Choose one:\n${choices.join("\n")}`,
  );
}

const KINDS = ["conversation", "message", "memory"] as const;

function show(progress: Progress, now: ImportProgress): void {
  const { phase, done, totals, estimatedEndAt } = now;
  const when = estimatedEndAt === null ? null : clock(estimatedEndAt);
  const total = sumOf(totals);
  const share = total === 0 ? null : sumOf(done) / total;
  if (phase === "waiting_quota") {
    progress.show(
      share,
      `The server has written all that its plan allows for today; going on ${when === null ? "later" : `at ${when}`}`,
    );
    return;
  }
  const parts = KINDS.filter((kind) => totals[kind] > 0).map(
    (kind) => `${done[kind]} of ${totals[kind]} ${pluralOf(kind, totals[kind])}`,
  );
  // First, because a narrow terminal cuts the end.
  const until = when === null || share === 1 ? "" : `until about ${when}: `;
  progress.show(share, `${until}${parts.join(", ")}`);
}

function sumOf(counts: ItemCounts): number {
  return KINDS.reduce((sum, kind) => sum + counts[kind], 0);
}

function reportOf(answer: ImportAnswer | CheckAnswer): string {
  const { items, skipped_reasons = [], files } = answer;
  const lines = Object.entries(items.by_kind)
    .filter(([, { found }]) => found > 0)
    .map(
      ([kind, { found, new: fresh, updated, unchanged, skipped }]) =>
        `${kind.padEnd(13)}${found} found = ${fresh} new + ${updated} updated + ${unchanged} unchanged + ${skipped} skipped`,
    );
  return [
    "dry_run" in answer ? "Checked only: nothing was written." : `Import ${answer.job.state}.`,
    ...lines,
    ...skipped_reasons.map(({ kind, reason, count }) => `  skipped: ${count} × ${kind} ${reason}`),
    ...(answer.rules ?? []).map(({ rule, message }) => `  rule ${rule}: ${message}`),
    ...files.flatMap((file) =>
      "not_read" in file ? [`  not read: ${file.name}. ${file.message} ${file.hint}`] : [],
    ),
    ...("operation_id" in answer
      ? [`To take it back: cofio import --undo ${answer.operation_id}`]
      : []),
  ].join("\n");
}
