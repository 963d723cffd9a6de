/** Reads exports of any size on this machine and sends them to a Cofio. Stopped in the middle, the same command goes on. */
import { createWriteStream, mkdtempSync, openAsBlob, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { UserError } from "../../src/errors.ts";
import type { CheckAnswer, ImportAnswer } from "../../src/transfer/import-answer.ts";
import { send, survey, type ImportProgress } from "../../src/transfer/send.ts";
import { readArguments, TARGET_USAGE, targetOptions, WrongUse } from "./arguments.ts";
import type { Command } from "./command.ts";
import { keepHeapSmall } from "./small-heap.ts";
import { jsonOf, openTarget, type Target } from "./target.ts";
import { clock, openProgress, print, printJson, type Progress } from "./terminal.ts";

export const importFiles: Command = {
  usage: `cofio import FILE… | -
  Imports exports of ChatGPT, Claude, Gemini and others, recognised by what is in them: zips or loose files of any size.
  A folder stands for the files in it, - for what comes over stdin. Importing the same again changes nothing.

  --dry-run         only tell what an import would do
  --account ID      whose to import, where the files are of several accounts
${TARGET_USAGE}`,
  async run(argv) {
    const { values, positionals: paths } = readArguments(argv, {
      ...targetOptions,
      "dry-run": { type: "boolean", default: false },
      account: { type: "string" },
    });
    if (paths.length === 0) throw new WrongUse("Which files are to be imported?");
    keepHeapSmall();
    const piped = mkdtempSync(join(tmpdir(), "cofio-import-"));
    const progress = openProgress();
    try {
      const files = await openFiles(paths, piped);
      const upload = await survey(files);
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
          signal: new AbortController().signal,
        });
        progress.end();
        if (values.json) printJson(answer);
        else print(reportOf(answer));
        return 0;
      } finally {
        target.close();
      }
    } finally {
      progress.end();
      rmSync(piped, { recursive: true, force: true });
    }
  },
};

async function call(target: Target, path: string, body: unknown) {
  const response = await target.fetch(`/api/imports${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await jsonOf(response) };
}

/** @param piped where what comes over stdin is kept meanwhile: files are read twice */
async function openFiles(paths: readonly string[], piped: string): Promise<File[]> {
  const files: File[] = [];
  for (const path of paths) {
    const found = path === "-" ? [await keepStdin(piped)] : filesIn(path);
    for (const file of found) files.push(await openFile(file));
  }
  return files;
}

async function keepStdin(folder: string): Promise<string> {
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

function show(progress: Progress, now: ImportProgress): void {
  const { phase, done, totals, bytesRead, bytesTotal, estimatedEndAt } = now;
  const when = estimatedEndAt === null ? "" : `, until about ${clock(estimatedEndAt)}`;
  const share = bytesTotal === 0 ? null : bytesRead / bytesTotal;
  if (phase === "waiting_quota") {
    progress.show(
      share,
      `The server has written all that its plan allows for today; going on${when}`,
    );
    return;
  }
  progress.show(
    share,
    `${done.conversation} of ${totals.conversation} conversations, ${done.message} of ${totals.message} messages, ${done.memory} of ${totals.memory} memories${when}`,
  );
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
      ? [`Undo it with POST /api/operations/${answer.operation_id}/undo`]
      : []),
  ].join("\n");
}
