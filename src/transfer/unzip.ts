/**
 * Opens the zips of an upload, so that readers see their files. Nothing that a zip states is trusted: bytes are counted as they come, and
 * names are only ever shown.
 */
import type { Entry, FileEntry } from "@zip.js/zip.js/lib/zip-core-native.js";
import { UserError } from "../errors.ts";
import { textOf } from "./formats/text.ts";
import type { ExportFile } from "./read.ts";

export interface UnzipLimits {
  /** Of all zips in the upload together, those left out included. */
  readonly entries: number;
  /** Inflated size of one entry. */
  readonly entryBytes: number;
  /** All zips inside zips together: they are held in memory, unlike all else. */
  readonly innerZipBytes: number;
  /** Inflated : compressed. Text seldom reaches 30. */
  readonly ratio: number;
  /**
   * By the stream of the platform, in half the time. workerd's own inflates all that it is given, wanted or not: a bomb would fill the memory
   * before the first byte is seen. Browsers and Node stop with who reads.
   */
  readonly inflatesNatively: boolean;
}

const MIB = 1_048_576;

/** For a Worker, which has 128 MB; the ratio stops a bomb long before. */
export const SERVER_LIMITS: UnzipLimits = {
  entries: 10_000,
  entryBytes: 50 * MIB,
  innerZipBytes: 30 * MIB,
  ratio: 200,
  inflatesNatively: false,
};
/** For the person's own machine, where a file of any size is read piece by piece. */
export const READER_LIMITS: UnzipLimits = {
  entries: 10_000,
  entryBytes: 2_048 * MIB,
  innerZipBytes: 256 * MIB,
  ratio: 200,
  inflatesNatively: true,
};

/** A zip of zips, as Claude's split exports are sometimes packed; deeper ones are named as not read. */
const MAX_DEPTH = 2;
const MEDIA = /\.(?:png|jpe?g|gif|webp|heic|svg|wav|mp3|m4a|ogg|mp4|mov|webm|pdf|dat|bin)$/iu;
/** 10,000 entries with names of ordinary length need 2 MiB; arbitrary above that. */
const MAX_DIRECTORY_BYTES = 16 * MIB;
/** What is inflated at a time. Of 1:1032, the most that deflate can do, it becomes 17 MiB before its size is looked at. */
const CHUNK_BYTES = 16 * 1_024;
/** Of a file's path in reports; a zip allows 65,535. Arbitrary. */
const MAX_PATH_CHARS = 300;

/** Files as they are, zips as the files in them, named `archive.zip/path`. @throws UserError too_large, unsupported_format */
export async function expandZips(
  files: readonly File[],
  limits: UnzipLimits = SERVER_LIMITS,
): Promise<ExportFile[]> {
  const { entries, innerZipBytes } = limits;
  return expand(files, { limits, entriesLeft: entries, innerBytesLeft: innerZipBytes }, MAX_DEPTH);
}

interface Upload {
  readonly limits: UnzipLimits;
  entriesLeft: number;
  innerBytesLeft: number;
}

async function expand(
  files: readonly File[],
  upload: Upload,
  depth: number,
): Promise<ExportFile[]> {
  const expanded: ExportFile[] = [];
  for (const file of files) {
    if (depth === 0 || !(await isZip(file))) {
      expanded.push({ name: file.name, bytes: () => file.stream() });
    } else {
      expanded.push(...(await readZip(file, upload, depth)));
    }
  }
  return expanded;
}

/** How zips begin: with a file, empty, or as a part of several. */
const BEGINNINGS = ["PK\u0003\u0004", "PK\u0005\u0006", "PK\u0007\u0008"];
/** How they end, when there is no comment: seen where something stands before the zip, as in one that extracts itself. */
const END = "PK\u0005\u0006";
const END_BYTES = 22;

async function isZip(file: Blob): Promise<boolean> {
  const signatureAt = async (offset: number) =>
    String.fromCharCode(...new Uint8Array(await file.slice(offset, offset + 4).arrayBuffer()));
  return (
    BEGINNINGS.includes(await signatureAt(0)) ||
    (file.size >= END_BYTES && (await signatureAt(file.size - END_BYTES)) === END)
  );
}

async function readZip(file: File, upload: Upload, depth: number): Promise<ExportFile[]> {
  const { limits } = upload;
  const found: ExportFile[] = [];
  for (const entry of await entriesOf(file, upload)) {
    const path = entry.filename.split(/[/\\]/u);
    const last = path.at(-1) ?? "";
    if (entry.directory || entry.symlink) continue;
    if (path[0] === "__MACOSX" || last.startsWith("._") || MEDIA.test(last)) continue;
    if (entry.encrypted) throw refusal(file.name, new Error("encrypted"));
    const name = `${file.name}/${textOf(entry.filename.slice(-MAX_PATH_CHARS))}`;
    if (/\.zip$/iu.test(last)) {
      const atMostBytes = Math.min(limits.entryBytes, upload.innerBytesLeft);
      const chunks = await Array.fromAsync(inflate(entry, file.name, limits, atMostBytes));
      const inner = new File(chunks, name);
      upload.innerBytesLeft -= inner.size;
      found.push(...(await expand([inner], upload, depth - 1)));
    } else {
      found.push({ name, bytes: () => inflate(entry, file.name, limits) });
    }
  }
  return found;
}

async function entriesOf(file: File, upload: Upload): Promise<Entry[]> {
  // Loaded here, because only uploads need it and it would cost every start.
  const { BlobReader, ZipReader, configure } =
    await import("@zip.js/zip.js/lib/zip-core-native.js");
  configure({ chunkSize: CHUNK_BYTES });
  const reader = new BlobReader(file);
  const read = reader.readUint8Array.bind(reader);
  // The library reads a zip's list of files at once, however long the zip says it is.
  reader.readUint8Array = async (offset, length) => {
    if (length > MAX_DIRECTORY_BYTES) throw tooManyFiles(file.name, upload.limits);
    return read(offset, length);
  };
  const zip = new ZipReader(reader, {
    useWebWorkers: false,
    useCompressionStream: upload.limits.inflatesNatively,
    checkOverlappingEntry: true,
    checkCrc32: true,
  });
  const entries: Entry[] = [];
  try {
    for await (const entry of zip.getEntriesGenerator()) {
      if (upload.entriesLeft === 0) throw tooManyFiles(file.name, upload.limits);
      upload.entriesLeft -= 1;
      entries.push(entry);
    }
  } catch (error) {
    throw refusal(file.name, error);
  }
  return entries;
}

/** Stops as soon as a limit is passed, and when nobody reads on. */
async function* inflate(
  entry: FileEntry,
  archive: string,
  limits: UnzipLimits,
  atMostBytes = limits.entryBytes,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  // What it states can be taken here: the library stops where a file turns out larger.
  if (entry.uncompressedSize > Math.max(entry.compressedSize, 1_024) * limits.ratio) {
    throw tooLarge(archive, limits);
  }
  const { readable, writable } = new TransformStream<
    Uint8Array<ArrayBuffer>,
    Uint8Array<ArrayBuffer>
  >();
  let isCancelled = false;
  const writing = entry.getData(writable, { useWebWorkers: false }).catch((error: unknown) => {
    // A reader that has seen enough of the head cancels, which the library reports as an error.
    if (isCancelled) return;
    // Of an entry that it refuses unseen, the library leaves the stream open, and its reader would wait for ever.
    writable.abort(error).catch(() => {});
    throw refusal(archive, error);
  });
  // Handled below; without this a failure before that counts as unhandled.
  writing.catch(() => {});
  let bytes = 0;
  try {
    for await (const chunk of readable) {
      bytes += chunk.length;
      if (bytes > atMostBytes) throw tooLarge(archive, limits);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    await writing;
    throw error;
  } finally {
    isCancelled = true;
  }
  await writing;
}

function tooLarge(name: string, { entryBytes, innerZipBytes, ratio }: UnzipLimits): UserError {
  const [file, innerZips] = [entryBytes, innerZipBytes].map((bytes) => Math.floor(bytes / MIB));
  return new UserError(
    "too_large",
    `A file in ${nameOf(name)} is too large when unzipped.`,
    `At most ${file} MiB a file, ${innerZips} MiB for zips inside of zips, and ${ratio} times the compressed size.`,
  );
}

function tooManyFiles(name: string, { entries }: UnzipLimits): UserError {
  return new UserError(
    "too_large",
    `${nameOf(name)} holds more files than can be looked at, which is ${entries}.`,
    "Unzip it and upload only the JSON files.",
  );
}

/** What the library says, and what it means to the person. The first that fits is taken. */
const REFUSALS: readonly { readonly says: RegExp; readonly means: string }[] = [
  { says: /encrypt/iu, means: "is encrypted" },
  { says: /unsafe filename/iu, means: "holds a file whose name points outside of the zip" },
  {
    says: /overlapping/iu,
    means: "holds several files in the same bytes, to be larger than it looks",
  },
  { says: /split zip/iu, means: "is one part of a zip that was split" },
  { says: /compression/iu, means: "is compressed by a method that Cofio cannot read" },
  { says: /uncompressed size/iu, means: "holds a file of another size than it states" },
  { says: /crc32/iu, means: "is damaged: a checksum is wrong" },
  { says: /end of .*central directory .*not found|out of bounds/iu, means: "is cut off" },
  { says: /ambiguous/iu, means: "contradicts itself about what it holds" },
];

function refusal(name: string, cause: unknown): UserError {
  if (cause instanceof UserError) return cause;
  const said = cause instanceof Error ? cause.message : "";
  const known = REFUSALS.find(({ says }) => says.test(said));
  return new UserError(
    "unsupported_format",
    `${nameOf(name)} ${known?.means ?? "is damaged, or not a zip that can be trusted"}.`,
    "Download the export again, or unzip it and upload its JSON files.",
  );
}

function nameOf(name: string): string {
  return `"${name.slice(0, 60).toWellFormed()}"`;
}
