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
import { ResumableSha256, type Sha256State } from "./resumable-sha256.ts";
import { archivePiece, ARCHIVE_START, type ArchiveCounts, type ArchiveCursor } from "./archive.ts";
import { MANIFEST_FILE, manifestText } from "./archive-manifest.ts";
import {
  compressedBytesOf,
  deflateChunk,
  inflateChunk,
  zipParts,
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
  /** Of the rows that an archive has. Undefined: an export that an earlier version of the server began, which says less than there is. */
  readonly storedBytes?: number;
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

/** Plain JSON: how far the files of an archive were read back. It tells of the text, so it is sealed. */
interface FilesCheck {
  readonly checked: readonly ArchivedFile[];
  /** Of the next file, where it was read in part. */
  readonly open: FileReading | null;
}

interface FileReading {
  readonly chunks: number;
  readonly chunkBytes: number;
  readonly crc32: number;
  readonly sha256: Sha256State;
}

/** How far the whole was hashed: as far as the first so many of its parts. */
interface ExportSum {
  readonly parts: number;
  readonly sha256: Sha256State;
}

/** What fits an assistant's context; larger exports become archives. */
const MAX_INLINE_BYTES = 32 * 1024;
/** Three statements each at most: below the 50 that an invocation may make on the free plan. */
const PIECES_A_STEP = 14;
/** Text, its bytes, what they compress to and its sealed form exist at once: together far below the 128 MB of an isolate. */
const CHUNK_CHARS = 2_000_000;
/** Chunks that one step reads back. Arbitrary; of the free plan an invocation may ask for 50 things, and some are asked for besides. */
const CHUNKS_A_STEP = 40;
/** How long an archive can be downloaded, and one that came to nothing is told of. Arbitrary. */
const ARCHIVE_MS = 7 * 86_400_000;

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
  id = newJobId(),
): Promise<string> {
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
  let { cursor, chunk, counts, storedBytes = 0 } = progress;
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
    storedBytes += piece.storedBytes ?? 0;
    cursor = piece.next;
  }
  await flush();
  return { cursor, files, chunk, counts, storedBytes };
}

/**
 * Reads files of an archive back, which proves that they open, and notes what each hashes to.
 * @param round from 0: each goes on where the one before it stopped
 * @returns whether there is more to read
 */
export async function checkFiles(
  at: OpenAccount,
  {
    jobId,
    progress,
    round,
  }: { readonly jobId: string; readonly progress: ExportProgress; readonly round: number },
): Promise<boolean> {
  const before =
    round === 0
      ? { checked: [], open: null }
      : await at.archives.readNote<FilesCheck>(jobId, `check ${round - 1}`);
  const checked = [...before.checked];
  let { open } = before;
  let left = CHUNKS_A_STEP;
  for (const file of progress.files.slice(checked.length)) {
    const reading = await readOn(at, { jobId, file, from: open ?? NOTHING_READ, limit: left });
    left -= reading.chunks - (open?.chunks ?? 0);
    open = reading.chunks < file.chunks ? reading : null;
    if (open !== null) break;
    checked.push(archivedFile(file, reading));
  }
  await at.archives.writeNote(jobId, `check ${round}`, { checked, open } satisfies FilesCheck);
  return checked.length < progress.files.length;
}

/** Writes the manifest of an archive and, for the download, which files it has. @param rounds how many `checkFiles` took */
export async function describeArchive(
  at: OpenAccount,
  plan: ExportPlan,
  {
    jobId,
    progress,
    rounds,
  }: { readonly jobId: string; readonly progress: ExportProgress; readonly rounds: number },
): Promise<void> {
  const { checked } = await at.archives.readNote<FilesCheck>(jobId, `check ${rounds - 1}`);
  const manifest = manifestText(
    plan.startedAt,
    { counts: progress.counts, storedBytes: progress.storedBytes ?? 0 },
    checked.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
  );
  await at.archives.writeChunk(jobId, progress.chunk, deflateChunk(utf8(manifest)));
  const file = { name: MANIFEST_FILE, firstChunk: progress.chunk, chunks: 1 };
  const reading = await readOn(at, { jobId, file, from: NOTHING_READ, limit: 1 });
  await at.archives.writeNote(jobId, "contents", [archivedFile(file, reading), ...checked]);
}

/**
 * Hashes the whole file.
 * @param round from 0: each goes on where the one before it stopped
 * @returns whether there is more to hash
 */
export async function sumExport(
  at: OpenAccount,
  plan: ExportPlan,
  {
    jobId,
    progress,
    round,
  }: { readonly jobId: string; readonly progress: ExportProgress; readonly round: number },
): Promise<boolean> {
  const parts = await exportParts(at, {
    id: jobId,
    format: plan.format,
    createdAt: plan.startedAt,
    chunks: chunksIn(plan, progress),
  });
  const before =
    round === 0 ? null : await at.archives.readNote<ExportSum>(jobId, `sum ${round - 1}`);
  const hash = before === null ? new ResumableSha256() : ResumableSha256.from(before.sha256);
  let next = before?.parts ?? 0;
  let left = CHUNKS_A_STEP;
  for (const part of parts.slice(next)) {
    if (typeof part !== "number") hash.update(part);
    else if (left === 0) break;
    else {
      hash.update(await at.archives.readChunk(jobId, part));
      left -= 1;
    }
    next += 1;
  }
  const sum: ExportSum = { parts: next, sha256: hash.state() };
  await at.archives.writeNote(jobId, `sum ${round}`, sum);
  return next < parts.length;
}

/** Makes the export downloadable. @param rounds how many `sumExport` took */
export async function finishExport(
  at: OpenAccount,
  plan: ExportPlan,
  {
    jobId,
    progress,
    rounds,
    now,
  }: {
    readonly jobId: string;
    readonly progress: ExportProgress;
    readonly rounds: number;
    readonly now: number;
  },
): Promise<void> {
  const { counts } = progress;
  const sum = await at.archives.readNote<ExportSum>(jobId, `sum ${rounds - 1}`);
  const hash = ResumableSha256.from(sum.sha256);
  const { bytes } = hash;
  const chunks = chunksIn(plan, progress);
  const sha256 = hash.end();
  await at.archives.writeManifest(jobId, { chunks, bytes, sha256 });
  await at.jobs.end(jobId, {
    state: "finished",
    operationId: null,
    counts: JSON.stringify(counts),
    body: await sealJson(at.keys, { id: jobId, version: 1, kind: "job" }, { counts }),
    now,
    archive: { chunks, sizeBytes: bytes, sha256, expiresAt: now + ARCHIVE_MS },
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
  const parts = await exportParts(at, { id, format, createdAt, chunks });
  return { manifest, bytes: bytesOf(at, id, parts) };
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

/** Removes archives that can no longer be downloaded, and what is left of those that came to nothing. @returns whether there are others, to be removed later */
export async function removeExpiredArchives(at: OpenAccount, now: number): Promise<boolean> {
  for (const jobId of await at.jobs.expiredExports(now, now - ARCHIVE_MS)) {
    await at.archives.remove(jobId);
    await at.jobs.remove(jobId);
  }
  return at.jobs.hasExports();
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
  readonly storedBytes?: number;
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

const NOTHING_READ: FileReading = {
  chunks: 0,
  chunkBytes: 0,
  crc32: 0,
  sha256: new ResumableSha256().state(),
};

/** Reads at most `limit` more chunks of a file. */
async function readOn(
  at: OpenAccount,
  {
    jobId,
    file,
    from,
    limit,
  }: {
    readonly jobId: string;
    readonly file: ChunkedFile;
    readonly from: FileReading;
    readonly limit: number;
  },
): Promise<FileReading> {
  const hash = ResumableSha256.from(from.sha256);
  const end = Math.min(file.chunks, from.chunks + limit);
  let { chunkBytes, crc32: crc } = from;
  for (let place = from.chunks; place < end; place++) {
    const chunk = await at.archives.readChunk(jobId, file.firstChunk + place);
    const plain = inflateChunk(chunk);
    chunkBytes += chunk.length;
    crc = crc32(plain, crc);
    hash.update(plain);
  }
  return { chunks: end, chunkBytes, crc32: crc, sha256: hash.state() };
}

function archivedFile(file: ChunkedFile, reading: FileReading): ArchivedFile {
  const hash = ResumableSha256.from(reading.sha256);
  const { bytes } = hash;
  return {
    ...file,
    bytes,
    sha256: hash.end(),
    crc32: reading.crc32,
    compressedBytes: compressedBytesOf(reading.chunkBytes),
  };
}

/** The manifest of an archive is its last chunk. */
function chunksIn({ format }: ExportPlan, { chunk }: ExportProgress): number {
  return format === "cofio" ? chunk + 1 : chunk;
}

/** What the file consists of, in order: bytes, and numbers of chunks. */
async function exportParts(
  at: OpenAccount,
  { id, format, createdAt, chunks }: Pick<JobRow, "id" | "format" | "createdAt" | "chunks">,
): Promise<readonly (Bytes | number)[]> {
  if (format !== "cofio") return numbersOf({ firstChunk: 0, chunks });
  const entries = await at.archives.readNote<readonly ArchivedFile[]>(id, "contents");
  return zipParts(entries, createdAt, numbersOf);
}

function numbersOf({ firstChunk, chunks }: Pick<ChunkedFile, "firstChunk" | "chunks">): number[] {
  return Array.from({ length: chunks }, (_, place) => firstChunk + place);
}

async function* bytesOf(
  at: OpenAccount,
  jobId: string,
  parts: readonly (Bytes | number)[],
): AsyncGenerator<Bytes> {
  for (const part of parts) {
    yield typeof part === "number" ? await at.archives.readChunk(jobId, part) : part;
  }
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
