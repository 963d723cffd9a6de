/**
 * Sends the files of an export to a Cofio server, batch by batch: the same in a browser's worker and in Node. Files are unzipped and read here,
 * never held whole; the server sees only batches. An import that broke off goes on when the same files are chosen again.
 */
import { bytesToHex } from "@noble/hashes/utils.js";
import type { UserErrorCode } from "../errors.ts";
import { LARGE_BATCH } from "../storage/plan.ts";
import { utf8 } from "../vault/bytes.ts";
import { batchesOf, type BatchLimits, type BatchRecord } from "./batches.ts";
import { identified } from "./identify.ts";
import type { CheckAnswer, ImportAnswer } from "./import-answer.ts";
import {
  readExport,
  type ExportFile,
  type ExportReading,
  type ItemCounts,
  type RecognisedFile,
} from "./read.ts";
import type { ImportBatchInput } from "./import-job.ts";
import type { ExportFormat } from "./formats/format.ts";
import { doneOf } from "./import-words.ts";
import { emptyReport, type ImportReport } from "./report.ts";
import { sendWindow, windowsOf } from "./send-windows.ts";
import { archiveOf, lineBatches, type UnpackedArchive } from "./unpacked-archive.ts";
import { expandZips, READER_LIMITS } from "./unzip.ts";

/** What was found, before anything has left the machine. */
export interface Survey {
  readonly files: readonly RecognisedFile[];
  readonly totals: ItemCounts;
  /** Elements per platform account; with more than one, ask whose to import. */
  readonly accounts: ReadonlyMap<string, number>;
}

export interface PreparedUpload {
  readonly survey: Survey;
  /** Of a Cofio archive: where the account is empty, it becomes what the archive says. */
  readonly archive: UnpackedArchive | null;
  readonly reading: ExportReading;
  readonly meter: ByteMeter;
  /** Tells these files from all others. */
  readonly key: string;
}

/** Bytes of the files, unzipped. */
interface ByteMeter {
  readonly total: () => number;
  /** Since the last restart. */
  readonly read: () => number;
  readonly restart: () => void;
}

export interface ImportProgress {
  /** Null: a check, which has none. */
  readonly jobId: string | null;
  readonly phase: "sending" | "waiting_quota";
  readonly done: ItemCounts;
  readonly totals: ItemCounts;
  /** What became of them so far. */
  readonly outcomes: ImportReport["byKind"];
  /** Milliseconds UTC: when it will be ready at this pace, or goes on; null: unknown. */
  readonly estimatedEndAt: number | null;
}

export interface SendOptions {
  /** Calls the API, `path` below `/api/imports`. Rejects when there is no connection. */
  readonly call: (path: string, body: unknown) => Promise<ApiAnswer>;
  /** Only tell what the import would do; nothing is written. */
  readonly dryRun: boolean;
  /** The platform account to import, where the files hold several; null: all. */
  readonly account: string | null;
  readonly onProgress: (progress: ImportProgress) => void;
  /** There is no connection, or the server failed. @param nextTry milliseconds UTC */
  readonly onDelay: (nextTry: number) => void;
  readonly signal: AbortSignal;
}

export interface ApiAnswer {
  readonly status: number;
  /** Parsed JSON; null where it was none. */
  readonly body: unknown;
}

/** The server said no, in words for the person. */
export class ImportRefused extends Error {
  /** As the API names it. */
  readonly code: string;
  readonly hint: string;
  /** The server can be asked again then, if it said so. */
  readonly retryAfterSeconds: number | null;

  constructor(
    code: string,
    message: string,
    hint: string,
    retryAfterSeconds: number | null = null,
  ) {
    super(message);
    this.name = "ImportRefused";
    this.code = code;
    this.hint = hint;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Reads the files once. @param onFound told again and again what was found so far @throws UserError unsupported_format, too_large */
export async function survey(
  files: readonly File[],
  onFound?: (soFar: ItemCounts) => void,
  as: ExportFormat | null = null,
): Promise<PreparedUpload> {
  const { metered, meter } = withMeter(await expandZips(files, READER_LIMITS));
  const archive = await archiveOf(metered);
  const reading = await readExport(archive?.items ?? metered, {
    as,
    ...(onFound === undefined ? {} : { onFound }),
  });
  const { recognised, totals, accounts } = reading;
  const found = { files: recognised, totals, accounts };
  return { survey: found, archive, reading, meter, key: await keyOf(files, found) };
}

/** @throws ImportRefused; the signal's reason, which cancels the import */
export function send(
  upload: PreparedUpload,
  options: SendOptions,
): Promise<ImportAnswer | CheckAnswer> {
  upload.meter.restart();
  return options.dryRun ? check(upload, options) : sendAll(upload, options);
}

async function sendAll(upload: PreparedUpload, options: SendOptions): Promise<ImportAnswer> {
  const { account } = options;
  const { survey: found, meter } = upload;
  const restored = upload.archive === null ? null : await restore(upload.archive, options, upload);
  if (restored !== null) return restored;
  const begun = (await persist(options, "/begin", {
    files: found.files,
    totals: found.totals,
    key: `${upload.key} ${account ?? ""}`,
    bytesTotal: meter.total(),
  })) as BeginAnswer;
  const { id } = begun.job;
  const missing = numbered(readBatches(upload, account, begun.limits), begun);
  return sendToEnd(options, begun, windowsOf(missing, begun.limits), (window) =>
    sendWindow(window, async ({ number, through, records }) => {
      const { job, wanted } = await sendBatch(upload, options, {
        path: `/${id}/batches`,
        batch: { number, through, records, bytesRead: meter.read() } satisfies ImportBatchInput,
      });
      const taken = wanted === undefined ? through + 1 : number;
      return { wanted, next: job.next_batch ?? taken };
    }),
  );
}

/** Null: the archive is imported as any other file. */
async function restore(
  archive: UnpackedArchive,
  options: SendOptions,
  upload: PreparedUpload,
): Promise<ImportAnswer | null> {
  const { name, manifestText, totals } = archive;
  const begun = (await persist(options, "/restore", { name, manifestText, totals })) as
    | BeginAnswer
    | { readonly job: null };
  if (begun.job === null) return null;
  const { id } = begun.job;
  const missing = numbered(lineBatches(archive, begun.limits), begun);
  return sendToEnd(options, begun, missing, async ({ number, records: lines }) => {
    await sendBatch(upload, options, { path: `/${id}/lines`, batch: { number, lines } });
  });
}

/** Those that are missing: an earlier run may have sent some. */
async function* numbered<T>(
  batches: AsyncGenerator<T, void>,
  begun: ImportAnswer | null = null,
): AsyncGenerator<{ readonly number: number; readonly records: T }, void> {
  const next = begun?.job.next_batch ?? 1;
  let number = 0;
  for await (const records of batches) {
    number += 1;
    if (number >= next) yield { number, records };
  }
}

/** Sends all, and ends the job. */
async function sendToEnd<T>(
  options: SendOptions,
  { job: { id } }: ImportAnswer,
  parts: AsyncGenerator<T, void>,
  sendOne: (part: T) => Promise<void>,
): Promise<ImportAnswer> {
  const { signal } = options;
  try {
    for await (const part of readAhead(parts)) {
      signal.throwIfAborted();
      await sendOne(part);
    }
  } catch (error) {
    // What is there stays, and one undo takes it away.
    if (signal.aborted) await options.call(`/${id}/cancel`, {}).catch(() => null);
    throw error;
  }
  return (await persist(options, `/${id}/finish`, {})) as ImportAnswer;
}

async function check(upload: PreparedUpload, options: SendOptions): Promise<CheckAnswer> {
  const { survey: found, archive } = upload;
  if (archive !== null) {
    const { name, manifestText, totals } = archive;
    const head = { name, manifestText, totals };
    const { check: restored } = (await persist(options, "/restore?dry_run", head)) as {
      readonly check: CheckAnswer | null;
    };
    if (restored !== null) return restored;
  }
  let report: ImportReport = emptyReport(found.totals, found.files);
  // The server keeps nothing of a check: what it has found so far goes with each part.
  const checkBatch = async (records: readonly BatchRecord[]) =>
    (await persist(options, "/check", { records, report })) as CheckedBatch;
  let answer: CheckedBatch | null = null;
  const batches = numbered(readBatches(upload, options.account, LARGE_BATCH));
  for await (const window of readAhead(windowsOf(batches, LARGE_BATCH))) {
    await sendWindow(window, async ({ number, through, records }) => {
      options.signal.throwIfAborted();
      const checked = await checkBatch(records);
      if (checked.wanted !== undefined) return { wanted: checked.wanted, next: number };
      answer = checked;
      report = checked.report;
      options.onProgress(progressOf(upload, checked.check));
      return { next: through + 1 };
    });
  }
  return (answer ?? (await checkBatch([]))).check;
}

function readBatches(upload: PreparedUpload, account: string | null, limits: BatchLimits) {
  const records = upload.reading.records(account === null ? {} : { account });
  return batchesOf(identified(records), limits, { withDigests: true });
}

// The shapes below are what `http/imports.ts` answers; the server and this file are of one version, or nearly.
type BeginAnswer = ImportAnswer & { readonly limits: BatchLimits };
interface CheckedBatch {
  readonly check: CheckAnswer;
  readonly report: ImportReport;
  readonly wanted?: readonly number[];
}

async function sendBatch(
  upload: PreparedUpload,
  options: SendOptions,
  { path, batch }: { readonly path: string; readonly batch: object },
): Promise<ImportAnswer> {
  for (;;) {
    const answer = (await persist(options, path, batch)) as ImportAnswer;
    // Nothing was taken.
    if (answer.wanted !== undefined) return answer;
    const { resume_at, estimated_end_at } = answer.job;
    if (answer.job.state === "cancelled") {
      throw new ImportRefused(
        "cancelled",
        "The import was cancelled.",
        "Import the same files to go on.",
      );
    }
    if (resume_at === undefined) {
      const endsAt = estimated_end_at === undefined ? null : Date.parse(estimated_end_at);
      options.onProgress({
        ...progressOf(upload, answer),
        jobId: answer.job.id,
        estimatedEndAt: endsAt,
      });
      return answer;
    }
    const resumeAt = Date.parse(resume_at);
    options.onProgress({
      ...progressOf(upload, answer),
      jobId: answer.job.id,
      phase: "waiting_quota",
      estimatedEndAt: resumeAt,
    });
    await pauseUntil(resumeAt, Date.now(), options.signal);
  }
}

function progressOf(
  { survey: { totals } }: PreparedUpload,
  { items }: Pick<ImportAnswer, "items">,
): ImportProgress {
  return {
    jobId: null,
    phase: "sending",
    done: doneOf(items.by_kind),
    totals,
    outcomes: items.by_kind,
    estimatedEndAt: null,
  };
}

/** Waits between attempts double from the first to the last: some four minutes in all, for a network that comes back. */
const FIRST_WAIT_MS = 500;
const LAST_WAIT_MS = 60_000;

/** Calls until there is an answer. A call that was answered and got lost does no harm when it is repeated. */
export async function persist(
  { call, onDelay, signal }: Pick<SendOptions, "call" | "onDelay" | "signal">,
  path: string,
  body: unknown,
): Promise<unknown> {
  for (let wait = FIRST_WAIT_MS; ; wait *= 2) {
    signal.throwIfAborted();
    const answer = await call(path, body).catch((error: unknown) => {
      if (wait > LAST_WAIT_MS || signal.aborted) throw error;
      return null;
    });
    if (answer !== null && answer.status < 400) return answer.body;
    const untilNext = answer === null ? null : retryMs(answer);
    if (untilNext !== null) {
      // The server is there, and says when: that is no failed attempt.
      wait = FIRST_WAIT_MS / 2;
      onDelay(Date.now() + untilNext);
      await pause(untilNext, signal);
      continue;
    }
    if (answer !== null && (answer.status < 500 || wait > LAST_WAIT_MS)) throw refusal(answer);
    onDelay(Date.now() + wait);
    await pause(wait, signal);
  }
}

// True of everything that the API answers.
interface ProblemAnswer {
  readonly error?: {
    readonly code?: string;
    readonly message?: string;
    readonly hint?: string;
    readonly retry_after_seconds?: number;
  };
}

const RATE_LIMITED: UserErrorCode = "rate_limited";

/** Null: it is not that it was asked too fast. */
function retryMs({ body }: ApiAnswer): number | null {
  const { error } = (body ?? {}) as ProblemAnswer;
  if (error?.code !== RATE_LIMITED) return null;
  return (error.retry_after_seconds ?? 1) * 1_000;
}

function refusal({ status, body }: ApiAnswer): ImportRefused {
  const { error } = (body ?? {}) as ProblemAnswer;
  return new ImportRefused(
    error?.code ?? "internal",
    error?.message ?? `The server answered with status ${status}.`,
    error?.hint ?? "Try again.",
    error?.retry_after_seconds ?? null,
  );
}

/** Makes the next batch while one is on its way. */
async function* readAhead<T>(batches: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  let next = batches.next();
  for (;;) {
    const made = await next;
    if (made.done === true) return;
    next = batches.next();
    // What it throws is thrown when its turn has come.
    next.catch(() => {});
    yield made.value;
  }
}

function withMeter(files: readonly ExportFile[]): {
  readonly metered: ExportFile[];
  readonly meter: ByteMeter;
} {
  const sizes = new Map<ExportFile, number>();
  const passes = new Map<ExportFile, number>();
  const sum = (of: ReadonlyMap<ExportFile, number>) =>
    [...of.values()].reduce((total, bytes) => total + bytes, 0);
  const metered = files.map((file): ExportFile => {
    const { bytes } = file;
    if (typeof bytes !== "function") return file;
    return {
      name: file.name,
      bytes: async function* () {
        let read = 0;
        for await (const chunk of bytes()) {
          read += chunk.length;
          passes.set(file, read);
          yield chunk;
        }
        sizes.set(file, read);
      },
    };
  });
  const meter = {
    total: () => sum(sizes),
    read: () => sum(passes),
    restart: () => passes.clear(),
  };
  return { metered, meter };
}

/** Read at once while the key is made. Arbitrary. */
const KEY_SLICE_BYTES = 4 * 1_048_576;

/** To be raised with every change to what readers give or to how batches are cut: an import never goes on with other batches. */
const READERS_VERSION = 3;

/** Of the files' bytes, of what was found in them and of who read them. */
async function keyOf(files: readonly File[], { totals }: Survey): Promise<string> {
  const digests: string[] = [];
  for (const file of files) {
    for (let from = 0; from < file.size; from += KEY_SLICE_BYTES) {
      digests.push(await sha256(await file.slice(from, from + KEY_SLICE_BYTES).arrayBuffer()));
    }
  }
  return sha256(utf8(JSON.stringify([digests, totals, READERS_VERSION])));
}

async function sha256(bytes: ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<string> {
  return bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** A clock that is fast would ask again and again: once a minute is enough. */
const MIN_QUOTA_PAUSE_MS = 60_000;

/** Waits for a server's quota. @param until by the server's clock, milliseconds UTC @param now by the clock of here */
export async function pauseUntil(until: number, now: number, signal: AbortSignal): Promise<void> {
  await pause(Math.max(MIN_QUOTA_PAUSE_MS, until - now), signal);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, Math.max(0, ms));
    signal.addEventListener("abort", end);
  });
  signal.throwIfAborted();
}
