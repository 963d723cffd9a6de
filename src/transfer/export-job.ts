/**
 * Exports as jobs: small ones answered at once, others written to an archive by the workflow. What a step returns is kept by the platform
 * in the clear, so it holds places and numbers only; what tells of the text (sizes, hashes) is sealed in R2.
 */
import { crc32 } from "node:zlib";
import { UserError } from "../errors.ts";
import type { StoredManifest } from "../storage/archives.ts";
import type { JobRow } from "../storage/jobs.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { utf8, type Bytes } from "../vault/bytes.ts";
import { newJobId } from "../vault/ids.ts";
import { sealJson } from "../vault/seal.ts";
import { archivePiece, ARCHIVE_START, type ArchiveCounts, type ArchiveCursor } from "./archive.ts";
import { MANIFEST_FILE, manifestText } from "./archive-manifest.ts";
import {
  compressedBytesOf,
  deflateChunk,
  inflateChunk,
  zipOf,
  type ZipEntry,
} from "./archive-zip.ts";
import {
  NO_COUNTS,
  TEXT_FORMATS,
  textPiece,
  type ExportCounts,
  type TextCursor,
  type TextPlan,
} from "./export.ts";

export const EXPORT_FORMATS = [...TEXT_FORMATS, "cofio"] as const;
export type ExportFormatName = (typeof EXPORT_FORMATS)[number];

/** The archive always holds all there is. */
export type ExportPlan = TextPlan | { readonly format: "cofio"; readonly startedAt: number };

/** Plain JSON: where a job stands. */
export interface ExportProgress {
  /** Null: everything is written. */
  readonly cursor: TextCursor | ArchiveCursor | null;
  readonly files: readonly ChunkedFile[];
  /** Of the next chunk. */
  readonly chunk: number;
  readonly counts: Partial<ArchiveCounts>;
}

interface ChunkedFile {
  /** Empty where the export is one file. */
  readonly name: string;
  readonly firstChunk: number;
  readonly chunks: number;
}

/** A file of an archive once it has been read back. */
interface ArchivedFile extends ChunkedFile, ZipEntry {
  readonly sha256: string;
}

/** What fits an assistant's context; larger exports become archives. */
const MAX_INLINE_BYTES = 32 * 1024;
/** Three statements each at most: below the 50 that an invocation may make on the free plan. */
const PIECES_A_STEP = 14;
/** Text, its bytes, what they compress to and its sealed form exist at once: together far below the 128 MB of an isolate. */
const CHUNK_CHARS = 2_000_000;
/** Chunks that one step reads back, if they are of more than one file. Arbitrary; a request of the free plan may read 50 objects. */
const CHUNKS_A_STEP = 40;
/** How long an archive can be downloaded. Arbitrary. */
const ARCHIVE_DAYS = 7;

/** The whole file, or null when it is larger than may be given inline. */
export async function exportInline(
  at: OpenAccount,
  plan: TextPlan,
): Promise<{ text: string; counts: ExportCounts } | null> {
  let text = "";
  let bytes = 0;
  let counts = NO_COUNTS;
  let cursor: TextCursor | null = { at: "start" };
  for (let pieces = 1; cursor !== null; pieces++) {
    const piece = await textPiece(at, plan, cursor);
    bytes += utf8(piece.text).length;
    if (bytes > MAX_INLINE_BYTES || pieces > PIECES_A_STEP) return null;
    text += piece.text;
    counts = { ...counts, ...addCounts(counts, piece.counts) };
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
    createdAt: plan.startedAt,
    keyVersion: at.keys.version,
  });
  return id;
}

export function beginExport(plan: ExportPlan): ExportProgress {
  const cursor = plan.format === "cofio" ? ARCHIVE_START : ({ at: "start" } as const);
  const counts = plan.format === "cofio" ? {} : NO_COUNTS;
  return { cursor, files: [], chunk: 0, counts };
}

/** Writes some chunks and says where it stopped. Repeating it from the same place replaces them. */
export async function writeChunks(
  at: OpenAccount,
  plan: ExportPlan,
  { jobId, progress }: { readonly jobId: string; readonly progress: ExportProgress },
): Promise<ExportProgress> {
  let { cursor, chunk, counts } = progress;
  const files = [...progress.files];
  let text = "";
  const flush = async () => {
    const file = files.at(-1);
    if (file === undefined || text === "") return;
    const plain = utf8(text);
    text = "";
    await at.archives.writeChunk(
      jobId,
      chunk,
      plan.format === "cofio" ? deflateChunk(plain) : plain,
    );
    files[files.length - 1] = { ...file, chunks: file.chunks + 1 };
    chunk += 1;
  };
  for (let pieces = 0; pieces < PIECES_A_STEP && cursor !== null; pieces++) {
    const piece = await exportPiece(at, plan, cursor);
    if (piece.file !== null && piece.file !== files.at(-1)?.name) {
      await flush();
      files.push({ name: piece.file, firstChunk: chunk, chunks: 0 });
    }
    text += piece.text;
    if (text.length >= CHUNK_CHARS) await flush();
    counts = addCounts(counts, piece.counts);
    cursor = piece.next;
  }
  await flush();
  return { cursor, files, chunk, counts };
}

/**
 * Reads files of an archive back, which proves that they open, and notes what each hashes to.
 * @param from index of the first file to read
 * @returns index of the next one; null: that was the last
 */
export async function checkFiles(
  at: OpenAccount,
  { jobId, progress, from }: { jobId: string; progress: ExportProgress; from: number },
): Promise<number | null> {
  const { files } = progress;
  const known = (await at.archives.readContents<readonly ArchivedFile[]>(jobId)) ?? [];
  const checked = known.slice(0, from);
  let chunks = 0;
  for (const file of files.slice(from)) {
    chunks += file.chunks;
    if (checked.length > from && chunks > CHUNKS_A_STEP) break;
    checked.push(await archivedFile(at, jobId, file));
  }
  await at.archives.writeContents(jobId, checked);
  return checked.length < files.length ? checked.length : null;
}

/** Writes what describes the export, and makes it downloadable. */
export async function finishExport(
  at: OpenAccount,
  plan: ExportPlan,
  {
    jobId,
    progress,
    now,
  }: { readonly jobId: string; readonly progress: ExportProgress; readonly now: number },
): Promise<void> {
  const { counts } = progress;
  let { chunk: chunks } = progress;
  if (plan.format === "cofio") {
    const files = ((await at.archives.readContents<readonly ArchivedFile[]>(jobId)) ?? []).filter(
      // Written before, where this is run again.
      ({ name }) => name !== MANIFEST_FILE,
    );
    const manifest = manifestText(
      plan.startedAt,
      counts,
      files.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
    );
    await at.archives.writeChunk(jobId, chunks, deflateChunk(utf8(manifest)));
    const own = { name: MANIFEST_FILE, firstChunk: chunks, chunks: 1 };
    await at.archives.writeContents(jobId, [await archivedFile(at, jobId, own), ...files]);
    chunks += 1;
  }
  const { bytes, sha256 } = await measure(
    await exportedBytes(at, { id: jobId, format: plan.format, createdAt: plan.startedAt, chunks }),
  );
  await at.archives.writeManifest(jobId, { chunks, bytes, sha256 });
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

/** The file of a finished export, opened chunk by chunk as it is read. Null: not finished. */
export async function readExportFile(
  at: OpenAccount,
  { id, format, createdAt }: JobRow,
): Promise<{ readonly manifest: StoredManifest; readonly bytes: AsyncIterable<Bytes> } | null> {
  const manifest = await at.archives.manifest(id);
  if (manifest === null) return null;
  const { chunks } = manifest;
  return { manifest, bytes: await exportedBytes(at, { id, format, createdAt, chunks }) };
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

interface Piece {
  readonly file: string | null;
  readonly text: string;
  readonly next: ExportProgress["cursor"];
  readonly counts: Partial<ArchiveCounts>;
}

async function exportPiece(
  at: OpenAccount,
  plan: ExportPlan,
  cursor: NonNullable<ExportProgress["cursor"]>,
): Promise<Piece> {
  // Both true because a job's cursor is what the pieces of its own plan gave.
  return plan.format === "cofio"
    ? archivePiece(at, cursor as ArchiveCursor)
    : { file: "", ...(await textPiece(at, plan, cursor as TextCursor)) };
}

async function archivedFile(
  at: OpenAccount,
  jobId: string,
  file: ChunkedFile,
): Promise<ArchivedFile> {
  let crc = 0;
  let chunkBytes = 0;
  async function* plain() {
    for await (const chunk of chunksOf(at, jobId, file)) {
      chunkBytes += chunk.length;
      const inflated = inflateChunk(chunk);
      crc = crc32(inflated, crc);
      yield inflated;
    }
  }
  const { bytes, sha256 } = await measure(plain());
  return { ...file, bytes, sha256, crc32: crc, compressedBytes: compressedBytesOf(chunkBytes) };
}

async function exportedBytes(
  at: OpenAccount,
  job: Pick<JobRow, "id" | "format" | "createdAt" | "chunks">,
): Promise<AsyncIterable<Bytes>> {
  if (job.format !== "cofio") {
    return chunksOf(at, job.id, { firstChunk: 0, chunks: job.chunks });
  }
  const entries = await at.archives.readContents<readonly ArchivedFile[]>(job.id);
  if (entries === null) throw new Error("The contents of an archive are missing");
  return zipOf(entries, job.createdAt, (file) => chunksOf(at, job.id, file));
}

async function* chunksOf(
  at: OpenAccount,
  jobId: string,
  { firstChunk, chunks }: Pick<ChunkedFile, "firstChunk" | "chunks">,
): AsyncGenerator<Bytes> {
  for (let chunk = firstChunk; chunk < firstChunk + chunks; chunk++) {
    yield await at.archives.readChunk(jobId, chunk);
  }
}

async function measure(
  parts: AsyncIterable<Bytes>,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const digest = new crypto.DigestStream("SHA-256");
  const writer = digest.getWriter();
  let bytes = 0;
  for await (const part of parts) {
    bytes += part.length;
    await writer.write(part);
  }
  await writer.close();
  return { bytes, sha256: new Uint8Array(await digest.digest).toHex() };
}

function addCounts<Counts extends Partial<ArchiveCounts>>(
  sum: Counts,
  more: Partial<ArchiveCounts>,
): Counts {
  const added = Object.entries(more).map(([name, count]) => [
    name,
    // True because both are counts by the same names.
    ((sum as Readonly<Record<string, number>>)[name] ?? 0) + count,
  ]);
  return { ...sum, ...Object.fromEntries(added) };
}
