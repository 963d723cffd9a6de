/** Opens the zips of an upload, so that readers see their files. Sizes that a zip states are never trusted: bytes are counted as they come. */
import type { Entry, FileEntry } from "@zip.js/zip.js/lib/zip-core-native.js";
import { UserError } from "../errors.ts";
import type { ExportFile } from "./read.ts";

export interface UnzipLimits {
  readonly entries: number;
  /** Inflated size of one entry. */
  readonly entryBytes: number;
  /** All zips inside a zip together. */
  readonly innerZipBytes: number;
  /** Inflated : compressed. Text seldom reaches 30. */
  readonly ratio: number;
}

/** For a Worker, which has 128 MB; the ratio stops a bomb long before. */
const LIMITS: UnzipLimits = {
  entries: 10_000,
  entryBytes: 50 * 1_048_576,
  innerZipBytes: 30 * 1_048_576,
  ratio: 200,
};
/** A zip of zips, as Claude's split exports are sometimes packed; deeper ones are named as not read. */
const MAX_DEPTH = 2;
const MEDIA = /\.(?:png|jpe?g|gif|webp|heic|svg|wav|mp3|m4a|ogg|mp4|mov|webm|pdf|dat|bin)$/iu;

/** Files as they are, zips as the files in them, named `archive.zip/path`. @throws UserError too_large, unsupported_format */
export async function expandZips(
  files: readonly File[],
  limits: UnzipLimits = LIMITS,
  depth = MAX_DEPTH,
): Promise<ExportFile[]> {
  const expanded: ExportFile[] = [];
  for (const file of files) {
    if (depth === 0 || !(await isZip(file))) {
      expanded.push({ name: file.name, bytes: () => file.stream() });
    } else {
      expanded.push(...(await readZip(file, limits, depth)));
    }
  }
  return expanded;
}

async function isZip(file: Blob): Promise<boolean> {
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  return head[0] === 0x50 && head[1] === 0x4b && (head[2] === 0x03 || head[2] === 0x05);
}

async function readZip(file: File, limits: UnzipLimits, depth: number): Promise<ExportFile[]> {
  // Loaded here, because only uploads need it and it would cost every start.
  const { BlobReader, ZipReader } = await import("@zip.js/zip.js/lib/zip-core-native.js");
  let entries: Entry[];
  try {
    entries = await new ZipReader(new BlobReader(file), {
      useWebWorkers: false,
      checkOverlappingEntry: true,
    }).getEntries();
  } catch (error) {
    throw damaged(file.name, error);
  }
  if (entries.length > limits.entries) {
    throw new UserError(
      "too_large",
      `${nameOf(file.name)} holds more than ${limits.entries} files.`,
      "Unzip it and upload only the JSON files.",
    );
  }
  const found: ExportFile[] = [];
  let innerBytes = 0;
  for (const entry of entries) {
    const path = entry.filename.split(/[/\\]/u);
    const last = path.at(-1) ?? "";
    if (entry.directory || path[0] === "__MACOSX" || last.startsWith("._") || MEDIA.test(last))
      continue;
    if (entry.encrypted) throw damaged(file.name, new Error("encrypted"));
    const name = `${file.name}/${entry.filename}`;
    if (/\.zip$/iu.test(last)) {
      // Held in memory while it is read, unlike all else: together they get what is left of their limit.
      const left = Math.min(limits.entryBytes, limits.innerZipBytes - innerBytes);
      const chunks = await Array.fromAsync(
        inflate(entry, file.name, { ...limits, entryBytes: left }),
      );
      const inner = new File(chunks, name);
      innerBytes += inner.size;
      found.push(...(await expandZips([inner], limits, depth - 1)));
    } else {
      found.push({ name, bytes: () => inflate(entry, file.name, limits) });
    }
  }
  return found;
}

/** Stops as soon as a limit is passed, and when nobody reads on. */
async function* inflate(
  entry: FileEntry,
  archive: string,
  limits: UnzipLimits,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { readable, writable } = new TransformStream<
    Uint8Array<ArrayBuffer>,
    Uint8Array<ArrayBuffer>
  >();
  let isCancelled = false;
  const writing = entry.getData(writable, { useWebWorkers: false }).catch((error: unknown) => {
    // A reader that has seen enough of the head cancels, which the library reports as an error.
    if (!isCancelled) throw damaged(archive, error);
  });
  // Handled below; without this a failure before that counts as unhandled.
  writing.catch(() => {});
  let bytes = 0;
  try {
    for await (const chunk of readable) {
      bytes += chunk.length;
      if (
        bytes > limits.entryBytes ||
        bytes > Math.max(entry.compressedSize, 1_024) * limits.ratio
      ) {
        throw new UserError(
          "too_large",
          `A file in ${nameOf(archive)} is too large when unzipped.`,
          `At most ${Math.floor(limits.entryBytes / 1_048_576)} MiB a file, and ${limits.ratio} times its compressed size.`,
        );
      }
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

function damaged(name: string, cause: unknown): UserError {
  const isEncrypted = cause instanceof Error && /encrypt/iu.test(cause.message);
  return new UserError(
    "unsupported_format",
    `${nameOf(name)} ${isEncrypted ? "is encrypted" : "is damaged, or not a zip that can be trusted"}.`,
    "Download the export again, or unzip it and upload its JSON files.",
  );
}

function nameOf(name: string): string {
  return `"${name.slice(0, 60).toWellFormed()}"`;
}
