/**
 * `npm run import -- FILE… [--url http://localhost:26346] [--token …] [--dry-run] [--account ID]`: reads exports of any size on this machine and sends
 * them to a Cofio server. Stopped in the middle, the same command goes on.
 */
import "./small-heap.ts";
import { openAsBlob, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../src/errors.ts";
import type { CheckAnswer, ImportAnswer } from "../src/transfer/import-answer.ts";
import { ImportRefused, send, survey, type ImportProgress } from "../src/transfer/send.ts";
import { fail, origin } from "./local.ts";

const USAGE =
  "Use: npm run import -- FILE… [--url https://…] [--token TOKEN] [--dry-run] [--account ID]\nThe token may also stand in COFIO_TOKEN, where no other user of this machine sees it. A folder stands for the files in it.";

const { values: options, positionals: paths } = readOptions();
const token = options.token ?? process.env.COFIO_TOKEN;
if (paths.length === 0) fail(USAGE);
if (token === undefined || token === "") {
  fail(`A token with the right data:import is needed.\n${USAGE}`);
}
const server = options.url.replace(/\/+$/u, "");

try {
  const files = await Promise.all(paths.flatMap(filesIn).map(openFile));
  const upload = await survey(files);
  const { accounts } = upload.survey;
  if (accounts.size > 1 && options.account === undefined) {
    const choices = [...accounts].map(([id, count]) => `  --account ${id}  (${count} items)`);
    fail(`These files are of several accounts. Choose one:\n${choices.join("\n")}`);
  }
  const answer = await send(upload, {
    call,
    dryRun: options["dry-run"],
    account: options.account ?? null,
    onProgress: show,
    onDelay: (nextTry) => status(`No answer from ${server}; trying again at ${clock(nextTry)}`),
    signal: new AbortController().signal,
  });
  status("");
  console.log(reportOf(answer));
} catch (error) {
  if (error instanceof UserError || error instanceof ImportRefused) {
    status("");
    fail(`${error.message} ${error.hint}`);
  }
  throw error;
}

async function call(path: string, body: unknown) {
  const response = await fetch(`${server}/api/imports${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json().catch(() => null) };
}

function filesIn(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })) fail(`There is no ${path}.`);
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function openFile(path: string): Promise<File> {
  return new File([await openAsBlob(path)], basename(path));
}

function show(progress: ImportProgress): void {
  const { phase, done, totals, estimatedEndAt } = progress;
  const when = estimatedEndAt === null ? "" : `, until about ${clock(estimatedEndAt)}`;
  if (phase === "waiting_quota") {
    status(`The server has written all that its plan allows for today; going on${when}`);
    return;
  }
  status(
    `${done.conversation} of ${totals.conversation} conversations, ${done.message} of ${totals.message} messages, ${done.memory} of ${totals.memory} memories${when}`,
  );
}

/** One line that replaces itself; on a terminal only. */
function status(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

function clock(time: number): string {
  return new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
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
      ? [`Undo it with POST ${server}/api/operations/${answer.operation_id}/undo`]
      : []),
  ].join("\n");
}

function readOptions() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        url: { type: "string", default: origin },
        token: { type: "string" },
        "dry-run": { type: "boolean", default: false },
        account: { type: "string" },
      },
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return fail(`${error.message}\n${USAGE}`);
  }
}
