/** An import as it is told: over MCP and HTTP, in words, and live to the person's own pages. */
import type { MemoryRules } from "../storage/rules.ts";
import { isOpen, type ImportJob, type ListedImport } from "./import-job.ts";
import { importNotes } from "./import-notes.ts";
import { sumOf, type ImportReport, type KindCounts } from "./report.ts";

/** The wire form, the same over MCP and HTTP. */
export function importAnswer(job: ImportJob, rules: MemoryRules) {
  const { id, state, operationId, bytes, resumeAt } = job;
  const isRunning = isOpen(job);
  const endsAt = isRunning ? estimatedEnd(job) : null;
  return {
    format: job.format,
    job: {
      id,
      state,
      ...(isRunning ? { next_batch: job.nextBatch } : {}),
      ...(isRunning && bytes.total > 0 ? { bytes_read: bytes.read, bytes_total: bytes.total } : {}),
      ...(endsAt === null ? {} : { estimated_end_at: iso(endsAt) }),
      ...(resumeAt === null ? {} : { resume_at: iso(resumeAt) }),
    },
    ...(job.wanted === undefined ? {} : { wanted: job.wanted }),
    ...(operationId === null ? {} : { operation_id: operationId }),
    ...reportAnswer(job.report, rules),
  };
}
export type ImportAnswer = ReturnType<typeof importAnswer>;

/** One of a list. */
export function listedImportAnswer(
  { job, client, isUnfinished }: ListedImport,
  rules: MemoryRules,
) {
  return {
    ...importAnswer(job, rules),
    made_by: client,
    created_at: iso(job.startedAt),
    updated_at: iso(job.updatedAt),
    unfinished: isUnfinished,
  };
}

/** Of a check: what an import would do. */
export function checkAnswer(report: ImportReport, rules: MemoryRules) {
  return { dry_run: true as const, ...reportAnswer(report, rules) };
}
export type CheckAnswer = ReturnType<typeof checkAnswer>;

function reportAnswer(report: ImportReport, rules: MemoryRules) {
  const notes = importNotes(rules, report.ruleActions ?? {});
  return {
    items: { ...sumOf(report), by_kind: report.byKind },
    ...(report.skippedReasons.length === 0 ? {} : { skipped_reasons: report.skippedReasons }),
    ...(notes.length === 0 ? {} : { rules: notes }),
    files: report.files.map((file) =>
      file.outcome === "read"
        ? { name: file.name, format: file.format, ...(file.truncated ? { truncated: true } : {}) }
        : { name: file.name, not_read: file.reason, message: file.message, hint: file.hint },
    ),
    ...(report.moreFiles === undefined ? {} : { more_files: report.moreFiles }),
  };
}

export function importText(job: ImportJob, rules: MemoryRules): string {
  return [`${job.format}: ${reportText(job.report, rules)}`, jobText(job)].join("\n");
}

export function checkText(report: ImportReport, rules: MemoryRules): string {
  return `Checked only, nothing was written. ${reportText(report, rules)}`;
}

function jobText(job: ImportJob): string {
  const { id, state, resumeAt } = job;
  switch (state) {
    case "waiting_quota":
      return `Job [${id}] has used what the free plan allows for today; import the same again after ${iso(resumeAt ?? 0)}, and it goes on.`;
    case "finished":
      return `Job [${id}].`;
    case "created":
    case "running":
      return `Job [${id}] is ${state}${progressText(job)}.`;
    default:
      return `Job [${id}] is ${state}.`;
  }
}

/** How far it is and when it will probably end, as far as that is known. */
function progressText(job: ImportJob): string {
  const { read, total } = job.bytes;
  const share = total === 0 ? "" : `, ${Math.floor((100 * Math.min(read, total)) / total)} % read`;
  const endsAt = estimatedEnd(job);
  return endsAt === null ? share : `${share}, probably until ${iso(endsAt)}`;
}

function reportText(report: ImportReport, rules: MemoryRules): string {
  const sum = sumOf(report);
  const kinds = Object.entries(report.byKind)
    .filter(([, counts]) => counts.found > 0)
    .map(([kind, counts]) => `${kind}: ${countsText(counts)}`);
  const skipped = report.skippedReasons.map(
    ({ kind, reason, count }) => `${count} × ${kind} ${reason}`,
  );
  const remaining = sum.remaining === 0 ? "" : ` + ${sum.remaining} remaining`;
  return [
    `${countsText(sum)}${remaining}.`,
    ...kinds,
    ...(skipped.length === 0 ? [] : [`Skipped: ${skipped.join(", ")}.`]),
    ...importNotes(rules, report.ruleActions ?? {}).map(
      ({ rule, message }) => `Rule ${rule}: ${message}`,
    ),
    ...report.files.flatMap((file) =>
      file.outcome === "read" ? [] : [`Not read: ${file.name}. ${file.message} ${file.hint}`],
    ),
  ].join("\n");
}

function countsText({ found, new: fresh, updated, unchanged, skipped }: KindCounts): string {
  return `${found} found = ${fresh} new + ${updated} updated + ${unchanged} unchanged + ${skipped} skipped`;
}

/** What the person's own pages are shown while it runs: counts and times, no word of the files. */
export interface LiveImport {
  readonly state: ImportJob["state"];
  readonly format: string;
  readonly bytes: ImportJob["bytes"];
  readonly counts: ImportReport["byKind"];
  /** All times in milliseconds UTC. */
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly estimatedEndAt: number | null;
  readonly resumeAt: number | null;
}

export function liveImport(job: ImportJob): LiveImport {
  const { state, format, bytes, report, startedAt, updatedAt, resumeAt } = job;
  const estimatedEndAt = estimatedEnd(job);
  const counts = report.byKind;
  return { state, format, bytes, counts, startedAt, updatedAt, estimatedEndAt, resumeAt };
}

/** At the pace so far; null before anything is done. */
function estimatedEnd({ report, startedAt, updatedAt }: ImportJob): number | null {
  const { found, remaining } = sumOf(report);
  const done = found - remaining;
  return done === 0 ? null : Math.round(updatedAt + ((updatedAt - startedAt) / done) * remaining);
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
