/** Exports as jobs: small ones answered at once, others written to an archive by the workflow. */
import { UserError } from "../errors.ts";
import type { JobRow } from "../storage/jobs.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { utf8 } from "../vault/bytes.ts";
import { newJobId } from "../vault/ids.ts";
import { sealJson } from "../vault/seal.ts";
import { exportPiece, type ExportCursor, type ExportPiece, type ExportPlan } from "./export.ts";

export type ExportCounts = ExportPiece["counts"];

/** What fits an assistant's context; larger exports become archives. */
const MAX_INLINE_BYTES = 32 * 1024;
/** Three statements each at most: below the 50 that an invocation may make on the free plan. */
const PIECES_A_CHUNK = 14;
/** How long an archive can be downloaded. Arbitrary. */
const ARCHIVE_DAYS = 7;

/** The whole file, or null when it is larger than may be given inline. */
export async function exportInline(
  at: OpenAccount,
  plan: ExportPlan,
): Promise<{ text: string; counts: ExportCounts } | null> {
  let text = "";
  let bytes = 0;
  let counts: ExportCounts = { memories: 0, conversations: 0, messages: 0 };
  let cursor: ExportCursor | null = { at: "start" };
  for (let pieces = 1; cursor !== null; pieces++) {
    const piece: ExportPiece = await exportPiece(at, plan, cursor);
    bytes += utf8(piece.text).length;
    if (bytes > MAX_INLINE_BYTES || pieces > PIECES_A_CHUNK) return null;
    text += piece.text;
    counts = addCounts(counts, piece.counts);
    cursor = piece.next;
  }
  return { text, counts };
}

export async function createExportJob(
  at: OpenAccount,
  plan: ExportPlan,
  caller: Caller,
): Promise<string> {
  const id = newJobId();
  await at.jobs.create({
    id,
    kind: "export",
    format: plan.format,
    grantId: caller.grantId,
    client: caller.client,
    createdAt: caller.now,
    keyVersion: at.keys.version,
  });
  return id;
}

/** Writes one chunk of an archive: pieces until it is large enough. Repeating it replaces the chunk. */
export async function writeArchiveChunk(
  at: OpenAccount,
  plan: ExportPlan,
  {
    jobId,
    chunk,
    cursor,
  }: { readonly jobId: string; readonly chunk: number; readonly cursor: ExportCursor },
): Promise<{ next: ExportCursor | null; counts: ExportCounts }> {
  let text = "";
  let counts: ExportCounts = { memories: 0, conversations: 0, messages: 0 };
  let next: ExportCursor | null = cursor;
  for (
    let piece = 0;
    piece < PIECES_A_CHUNK && next !== null && text.length < CHUNK_CHARS;
    piece++
  ) {
    const written: ExportPiece = await exportPiece(at, plan, next);
    text += written.text;
    counts = addCounts(counts, written.counts);
    next = written.next;
  }
  await at.archives.writeChunk(jobId, chunk, utf8(text));
  return { next, counts };
}

/** Far below the 128 MB of an isolate. */
const CHUNK_CHARS = 2_000_000;

/** Reads the archive back, writes its manifest, and makes it downloadable. */
export async function finishArchive(
  at: OpenAccount,
  jobId: string,
  {
    chunks,
    counts,
    now,
  }: { readonly chunks: number; readonly counts: ExportCounts; readonly now: number },
): Promise<void> {
  const { bytes, sha256 } = await at.archives.finish(jobId, chunks);
  await at.jobs.end(jobId, {
    state: "finished",
    operationId: null,
    counts: JSON.stringify(counts),
    body: await sealJson(at.keys, { id: jobId, version: 1, kind: "job" }, { counts }),
    now,
    archive: { chunks, sizeBytes: bytes, sha256, expiresAt: now + ARCHIVE_DAYS * 86_400_000 },
  });
  await at.jobs.recordExport(now);
}

/** Says in the job that it came to nothing, and takes back what was written. */
export async function failExport(at: OpenAccount, jobId: string, now: number): Promise<void> {
  await at.archives.remove(jobId);
  await at.jobs.end(jobId, {
    state: "failed",
    operationId: null,
    counts: "{}",
    body: await sealJson(at.keys, { id: jobId, version: 1, kind: "job" }, {}),
    now,
  });
}

/** Removes archives that can no longer be downloaded. */
export async function removeExpiredArchives(at: OpenAccount, now: number): Promise<void> {
  for (const jobId of await at.jobs.expiredExports(now)) {
    await at.archives.remove(jobId);
    await at.jobs.remove(jobId);
  }
}

/** @throws UserError not_found, expired */
export async function getExport(at: OpenAccount, jobId: string, now: number): Promise<JobRow> {
  const job = await at.jobs.get(jobId);
  if (job === null || job.kind !== "export") {
    throw new UserError(
      "not_found",
      "There is no export with this job id.",
      "Start one with export_data.",
    );
  }
  if (job.expiresAt !== null && job.expiresAt <= now) {
    throw new UserError("expired", "This export has expired.", "Start a new one with export_data.");
  }
  return job;
}

export function addCounts(a: ExportCounts, b: ExportCounts): ExportCounts {
  return {
    memories: a.memories + b.memories,
    conversations: a.conversations + b.conversations,
    messages: a.messages + b.messages,
  };
}
