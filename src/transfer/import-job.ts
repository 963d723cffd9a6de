/**
 * An import as a job of numbered batches: begun with what the reader found, fed one batch at a time, finished when all are there. A batch that is
 * sent twice changes nothing, and the same files chosen again go on where the job stopped. The job's row holds the report so far, sealed.
 */
import { retryAfter, UserError } from "../errors.ts";
import { emptyVocabulary } from "../search/vocabulary.ts";
import { requireSpace } from "../storage/limits.ts";
import { isDayUsedUp, nextDay } from "../storage/plan.ts";
import type { JobRow } from "../storage/jobs.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { argumentsHash } from "../vault/blind.ts";
import { newJobId, newOperationId } from "../vault/ids.ts";
import { openJson, sealJson } from "../vault/seal.ts";
import { namedLimit, type BatchLimits, type BatchRecord } from "./batches.ts";
import { openRun, prepareBatch, type CutConversation } from "./import-run.ts";
import { wantedOf } from "./known-digests.ts";
import type { ItemCounts, RecognisedFile } from "./read.ts";
import type { RestoredCounts } from "../storage/archive-restore.ts";
import { ARCHIVE_FORMAT } from "./archive-manifest.ts";
import { ITEM_KINDS } from "./records.ts";
import { refuseMore } from "./refuse-more.ts";
import { emptyReport, openTally, type ImportReport } from "./report.ts";

export interface ImportJob {
  readonly id: string;
  readonly state: JobRow["state"];
  readonly format: string;
  /** Null as long as nothing has changed. */
  readonly operationId: string | null;
  readonly report: ImportReport;
  /** The number of the batch that is awaited. */
  readonly nextBatch: number;
  readonly limits: BatchLimits;
  readonly bytes: ReadBytes;
  /** Milliseconds UTC. */
  readonly startedAt: number;
  readonly updatedAt: number;
  /** When the day's quota is there again; null unless the job waits for it. */
  readonly resumeAt: number | null;
  /** Of a batch of which nothing was taken: places of records that it names and that must be sent as they are. */
  readonly wanted?: readonly number[];
}

/** Of the chosen files, as the reader counts them. */
export interface ReadBytes {
  readonly read: number;
  readonly total: number;
}

export interface Upload {
  readonly files: readonly RecognisedFile[];
  readonly totals: ItemCounts;
  /** Of files that can be chosen again: tells them from all others. */
  readonly key?: string;
  readonly bytesTotal?: number;
}

export interface JobSetting {
  /** Of its batches, where they are not the plan's. */
  readonly limits?: BatchLimits;
  /** It is written in one request, and no batches are sent to it. */
  readonly isWhole?: boolean;
}

export interface ImportBatchInput {
  readonly number: number;
  /** Where it stands for several batches, of which it names all conversations: the last of them. */
  readonly through?: number;
  readonly records: readonly BatchRecord[];
  readonly bytesRead?: number;
}

/** As reports call the archive that an empty account is restored from. */
export const RESTORE_NAME = "Cofio archive";

/** What the job's body holds. Reports of ended jobs that are older than batches hold nothing beside the report. */
interface JobBody extends ImportReport {
  readonly limits?: BatchLimits;
  readonly bytes?: ReadBytes;
  readonly cut?: CutConversation | null;
}

/**
 * Goes on with an unfinished import of the same files, or begins one.
 * @throws UserError limit_reached
 */
export async function beginImport(
  at: OpenAccount,
  upload: Upload,
  caller: Caller,
  { limits = at.plan.batch, isWhole = false }: JobSetting = {},
): Promise<ImportJob> {
  const uploadKey = upload.key === undefined ? null : await argumentsHash(at.keys, upload.key);
  const unfinished = uploadKey === null ? null : await at.jobs.unfinishedImport(uploadKey);
  if (unfinished?.state === "cancelled") {
    await at.jobs.setState(unfinished.id, "running", caller.now);
    return getImport(at, unfinished.id);
  }
  if (unfinished !== null) return openJob(at, unfinished);
  // Else jobs that can take nothing would soon be too many, and that would be the reason told.
  requireSpace(at);
  await refuseOneMore(at, caller.now);
  const job: ImportJob = {
    id: newJobId(),
    state: "created",
    format: formatOf(upload.files),
    operationId: null,
    report: emptyReport(upload.totals, upload.files),
    nextBatch: 1,
    limits,
    bytes: { read: 0, total: upload.bytesTotal ?? 0 },
    startedAt: caller.now,
    updatedAt: caller.now,
    resumeAt: null,
  };
  const { id, format, report, bytes } = job;
  await at.jobs.create({
    id,
    kind: "import",
    format,
    grantId: caller.grantId,
    client: caller.client,
    createdAt: caller.now,
    keyVersion: at.keys.version,
    operationId: newOperationId(caller.now),
    ...(uploadKey === null ? {} : { uploadKey }),
    ...(isWhole ? { expiresAt: caller.now } : {}),
    body: await sealBody(at, id, { ...report, limits, bytes }),
  });
  return job;
}

/**
 * One batch. It waits, and writes nothing, once the day's quota is spent.
 * @throws UserError not_found, limit_reached, invalid_input (of a number that is not the next); and whatever storage throws: then nothing of it was written
 */
export async function importBatch(
  at: OpenAccount,
  jobId: string,
  { number, through = number, records, bytesRead }: ImportBatchInput,
  caller: Caller,
): Promise<ImportJob> {
  const row = await findImport(at, jobId);
  // It takes lines, which nothing is compared with.
  if (row.format === ARCHIVE_FORMAT) throw noImport();
  const body = await openBody(at, row);
  const job = jobOf(at, row, body);
  const { limits } = job;
  if (number < job.nextBatch) return job;
  if (!isOpen(job)) {
    throw new UserError("invalid_input", `This import is ${job.state}.`, "Begin another one.");
  }
  refuseLarger(records, job.limits);
  if (number > job.nextBatch) {
    throw new UserError(
      "invalid_input",
      `Batch ${number} came before batch ${job.nextBatch}.`,
      "Send the batches one after the other.",
      { next_batch: job.nextBatch },
    );
  }
  requireSpace(at);
  if (await isSpent(at, caller.now)) return waiting(at, job, caller.now);

  const operationId = row.operationId ?? newOperationId(row.createdAt);
  const wanted = await wantedOf(at, records, operationId);
  if (wanted.length > 0) return { ...job, wanted };
  const tally = openTally(job.report);
  const vocabulary = at.vocabularyOf(jobId);
  const { cut = null } = body;
  const run = await openRun(at, { caller, operationId, tally, vocabulary, cut, isTrial: false });
  const rows = await prepareBatch(run, records);
  const report = tally.report();
  const bytes = { read: bytesRead ?? job.bytes.read, total: job.bytes.total };
  const counts = changesIn(report);
  try {
    const { written, known } = await at.imports.write(
      {
        ...rows,
        jobId,
        number,
        through,
        maxMemories: at.rules.maxMemories,
        counts,
        report: await sealBody(at, jobId, { ...report, limits, bytes, cut: run.cut.after }),
      },
      { id: operationId, grantId: caller.grantId, client: caller.client, now: caller.now },
    );
    const missing = rows.memories.length - written;
    // Saves of the same moment said the same, or took the room.
    if (missing > 0) {
      tally.add("memory", "new", -missing);
      tally.add("memory", "unchanged", known);
      tally.skip("memory", "limit_reached", missing - known);
      const corrected = { ...tally.report(), limits, bytes, cut: run.cut.after };
      await at.jobs.correct(jobId, await sealBody(at, jobId, corrected));
    }
  } catch (error) {
    if (!isDayUsedUp(error)) throw error;
    return waiting(at, job, caller.now);
  }
  return {
    ...job,
    state: "running",
    report: tally.report(),
    operationId: counts === null ? null : operationId,
    nextBatch: through + 1,
    bytes,
    updatedAt: caller.now,
    resumeAt: null,
  };
}

export interface CheckedRecords {
  readonly report: ImportReport;
  /** As of a job: then the report is that of the parts before. */
  readonly wanted?: readonly number[];
}

/** What the records would do, with nothing written. @param soFar what earlier parts of the same check have found @returns both together */
export async function checkRecords(
  at: OpenAccount,
  records: readonly BatchRecord[],
  { soFar, caller }: { readonly soFar: ImportReport; readonly caller: Caller },
): Promise<CheckedRecords> {
  const operationId = newOperationId(caller.now);
  const wanted = await wantedOf(at, records, operationId);
  if (wanted.length > 0) return { report: soFar, wanted };
  const tally = openTally(soFar);
  const vocabulary = emptyVocabulary();
  const run = await openRun(at, { caller, operationId, tally, vocabulary, isTrial: true });
  run.room.left -= soFar.byKind.memory.new;
  await prepareBatch(run, records);
  return { report: tally.report() };
}

/** Ends the import. Doing so twice is harmless. @throws UserError not_found */
export async function endImport(
  at: OpenAccount,
  jobId: string,
  state: "finished" | "cancelled" | "failed",
  now: number,
): Promise<ImportJob> {
  const row = await findImport(at, jobId);
  const job = await openJob(at, row);
  if (!isOpen(job)) return job;
  await at.jobs.end(jobId, {
    state,
    // One that was cancelled may go on, under the same operation.
    operationId: state === "cancelled" ? row.operationId : job.operationId,
    counts: JSON.stringify(changesIn(job.report) ?? {}),
    body: await sealBody(at, jobId, { ...job.report, limits: job.limits, bytes: job.bytes }),
    now,
  });
  return { ...job, state, updatedAt: now, resumeAt: null };
}

/** @throws UserError not_found */
export async function getImport(at: OpenAccount, jobId: string): Promise<ImportJob> {
  return openJob(at, await findImport(at, jobId));
}

/** An import of the past, and who made it. */
export interface ListedImport {
  readonly job: ImportJob;
  readonly client: string;
  /** The same files chosen again go on with it. */
  readonly isUnfinished: boolean;
}

/** The newest first. @param before the id of one: those that came before it */
export async function listImports(
  at: OpenAccount,
  { before, limit }: { readonly before: string | null; readonly limit: number },
): Promise<ListedImport[]> {
  const rows = await at.jobs.imports(before, limit);
  return Promise.all(
    rows.map(async (row) => {
      const job = await openJob(at, row);
      const isUnfinished =
        row.uploadKey !== null &&
        (isOpen(job) || (job.state === "cancelled" && job.operationId !== null));
      return { job, client: row.client, isUnfinished };
    }),
  );
}

/** One of which nothing was heard for so long does not run. Arbitrary: readers send a batch every few seconds. */
const IN_FLIGHT_MS = 3_600_000;

/** @throws UserError limit_reached */
async function refuseOneMore({ jobs, limits }: OpenAccount, now: number): Promise<void> {
  if (limits.importsInFlight === null) return;
  const { count, oldest } = await jobs.importsInFlight(now - IN_FLIGHT_MS);
  if (count < limits.importsInFlight) return;
  throw new UserError(
    "limit_reached",
    `${count} imports are under way, which is the most that this server takes from one person.`,
    "Finish or cancel one of them first; one that nothing was heard of for an hour no longer counts.",
    { limit: "imports_in_flight", ...retryAfter(oldest + IN_FLIGHT_MS - now) },
  );
}

async function findImport(at: OpenAccount, jobId: string): Promise<JobRow> {
  const row = await at.jobs.get(jobId);
  if (row?.kind === "import" && row.body !== null && row.body !== "") return row;
  throw noImport();
}

function noImport(): UserError {
  return new UserError(
    "not_found",
    "There is no import with this job id.",
    "Send the `job.id` that the import gave.",
  );
}

/** @throws UserError too_large */
function refuseLarger(records: readonly BatchRecord[], limits: BatchLimits): void {
  const chats = records.flatMap((record) =>
    record.type === "conversation" ? [record.conversation] : [],
  );
  refuseMore(
    { ...limits, "named conversations": namedLimit(limits) },
    {
      conversations: chats.length,
      messages: chats.reduce((sum, { messages }) => sum + messages.length, 0),
      memories: records.filter(({ type }) => type === "memory").length,
      "named conversations": records.filter(({ type }) => type === "unchanged").length,
    },
  );
}

async function openJob(at: OpenAccount, row: JobRow): Promise<ImportJob> {
  return jobOf(at, row, await openBody(at, row));
}

function jobOf(at: OpenAccount, row: JobRow, body: JobBody): ImportJob {
  const { id, state, format, cursor, createdAt, updatedAt } = row;
  const { limits = at.plan.batch, bytes = { read: 0, total: 0 }, cut: _, ...sealed } = body;
  const isRestore = format === ARCHIVE_FORMAT;
  const report = isRestore && state !== "finished" ? restored(sealed, row) : sealed;
  return {
    id,
    state,
    format: isRestore ? RESTORE_NAME : format,
    operationId: changesIn(report) === null ? null : row.operationId,
    report,
    nextBatch: (cursor ?? 0) + 1,
    limits,
    bytes,
    startedAt: createdAt,
    updatedAt,
    resumeAt: state === "waiting_quota" ? nextDay(updatedAt) : null,
  };
}

/** A restore counts in the open, in the statement that writes: what was there already is found only then. */
function restored(report: ImportReport, { counts }: JobRow): ImportReport {
  const tally = openTally(report);
  // True because only `storage/archive-restore.ts` writes them.
  const byKind = JSON.parse(counts) as Partial<RestoredCounts>;
  for (const kind of ITEM_KINDS) {
    const { found, written, unreadable } = byKind[kind] ?? { found: 0, written: 0, unreadable: 0 };
    tally.add(kind, "new", written);
    tally.skip(kind, "unreadable", unreadable);
    tally.skip(kind, "duplicate_in_file", found - written - unreadable);
  }
  return tally.report();
}

/** It takes batches. */
export function isOpen({ state }: Pick<ImportJob, "state">): boolean {
  return state === "created" || state === "running" || state === "waiting_quota";
}

/** The quota of the day. */
export async function isSpent(at: OpenAccount, now: number): Promise<boolean> {
  const { plan, imports } = at;
  return plan.rowsADay !== null && (await imports.rowsWrittenToday(now)) >= plan.rowsADay;
}

export async function waiting(at: OpenAccount, job: ImportJob, now: number): Promise<ImportJob> {
  try {
    await at.jobs.setState(job.id, "waiting_quota", now);
  } catch (error) {
    // When D1 itself has closed for the day, this cannot be written either.
    if (!isDayUsedUp(error)) throw error;
  }
  return { ...job, state: "waiting_quota", updatedAt: now, resumeAt: nextDay(now) };
}

/** Null: nothing. */
function changesIn({ byKind }: ImportReport): Record<string, number> | null {
  const changed = ({ new: fresh, updated }: { new: number; updated: number }) => fresh + updated;
  const counts = {
    conversations: changed(byKind.conversation),
    messages: changed(byKind.message),
    memories: changed(byKind.memory),
  };
  return Object.values(counts).some((count) => count > 0) ? counts : null;
}

function formatOf(files: readonly RecognisedFile[]): string {
  const formats = files.flatMap((file) => (file.outcome === "read" ? [file.format] : []));
  return [...new Set(formats)].join(", ");
}

function openBody(at: OpenAccount, { id, body }: JobRow): Promise<JobBody> {
  return openJson<JobBody>(at.keys, contextOf(id), body ?? "");
}

function sealBody(at: OpenAccount, jobId: string, body: JobBody): Promise<string> {
  return sealJson(at.keys, contextOf(jobId), body);
}

function contextOf(jobId: string) {
  return { id: jobId, version: 1, kind: "job" } as const;
}
