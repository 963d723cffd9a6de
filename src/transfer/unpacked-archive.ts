/** The files of a Cofio archive in an upload: known by what the manifest says, and as they were written or not at all. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { UserError } from "../errors.ts";
import {
  ARCHIVE_FILES,
  ARCHIVE_FORMAT,
  ARCHIVE_VERSION,
  parseManifest,
} from "./archive-manifest.ts";
import type { BatchLimits } from "./batches.ts";
import { reopenable, type ExportFile, type ItemCounts, type Open } from "./read.ts";
import { splitElements } from "./split.ts";

export interface UnpackedArchive {
  /** Of its manifest, as the person's device calls it. */
  readonly name: string;
  readonly manifestText: string;
  /** As the manifest counts what is there now, without earlier states. */
  readonly totals: ItemCounts;
  /** The files of lines, in the order in which they are restored. */
  readonly data: readonly Open[];
  /** Those of which an ordinary import reads. */
  readonly items: readonly ExportFile[];
}

/** A manifest has some 150 bytes a file and a file a month. Arbitrary beyond that. */
const MAX_MANIFEST_BYTES = 1_048_576;
const MANIFEST_BEGINNING = new RegExp(`^\\uFEFF?\\s*\\{\\s*"format"\\s*:\\s*"${ARCHIVE_FORMAT}"`);

/** Null: none of them is the manifest of an archive. @throws UserError unsupported_format */
export async function archiveOf(files: readonly ExportFile[]): Promise<UnpackedArchive | null> {
  for (const file of files) {
    const open = await reopenable(file.bytes);
    const text = await manifestTextOf(open);
    if (text !== null) return openArchive(files, file.name, text);
  }
  return null;
}

async function openArchive(
  files: readonly ExportFile[],
  name: string,
  text: string,
): Promise<UnpackedArchive> {
  const manifest = parseManifest(text);
  if (manifest === null) throw notAsExported("manifest.json", "cannot be read");
  if (manifest.version > ARCHIVE_VERSION) {
    throw new UserError(
      "unsupported_format",
      "This is a Cofio archive of a later version, which this server cannot read.",
      `It reads version ${ARCHIVE_VERSION}. Update the server.`,
    );
  }
  const folder = name.slice(0, name.lastIndexOf("/") + 1);
  const byName = new Map(files.map((file) => [file.name, file.bytes]));
  const opened = new Map<string, Open>();
  for (const listed of manifest.files) {
    // A form may leave out what is empty.
    const bytes = byName.get(folder + listed.name) ?? (listed.bytes === 0 ? "" : undefined);
    // Schemas and Markdown are copies for readers: loose files come without their folders.
    if (bytes === undefined) continue;
    const open = await reopenable(bytes);
    if ((await sha256Of(open)) !== listed.sha256) throw notAsExported(listed.name, "was changed");
    opened.set(listed.name, open);
  }
  const data = Object.values(ARCHIVE_FILES).map((file) => {
    const open = opened.get(file);
    if (open === undefined) throw notAsExported(file, "is missing");
    return open;
  });
  const items = [ARCHIVE_FILES.memories, ARCHIVE_FILES.conversations].flatMap((file) => {
    const bytes = opened.get(file);
    return bytes === undefined ? [] : [{ name: folder + file, bytes }];
  });
  const { conversations = 0, messages = 0, memories = 0 } = manifest.counts;
  const totals = { conversation: conversations, message: messages, memory: memories };
  return { name, manifestText: text, totals, data, items };
}

/** What a batch holds at most. Text becomes up to five times as many characters of parameters. */
const MAX_BATCH = { lines: 500, chars: 400_000 } as const;

/** The lines as they are restored. The same archive and limits always give the same batches. */
export async function* lineBatches(
  { data }: UnpackedArchive,
  limits: BatchLimits,
): AsyncGenerator<readonly unknown[]> {
  const maxLines = Math.min(MAX_BATCH.lines, limits.messages);
  const maxChars = Math.min(MAX_BATCH.chars, limits.chars);
  let lines: unknown[] = [];
  let chars = 0;
  for (const open of data) {
    for await (const item of splitElements(open())) {
      if (item.type !== "element") continue;
      const size = JSON.stringify(item.value).length;
      if (lines.length > 0 && (lines.length === maxLines || chars + size > maxChars)) {
        yield lines;
        lines = [];
        chars = 0;
      }
      lines.push(item.value);
      chars += size;
    }
  }
  if (lines.length > 0) yield lines;
}

/** Null: the file begins like no manifest. */
async function manifestTextOf(open: Open): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = "";
  let sizeBytes = 0;
  let isManifest = false;
  for await (const chunk of open()) {
    sizeBytes += chunk.length;
    text += decoder.decode(chunk, { stream: true });
    isManifest ||= MANIFEST_BEGINNING.test(text);
    // Bytes may come one by one.
    if (!isManifest && text.length >= 100) return null;
    if (sizeBytes > MAX_MANIFEST_BYTES) return null;
  }
  return isManifest ? text : null;
}

/** Piece by piece, which WebCrypto does nowhere but in workerd. */
async function sha256Of(open: Open): Promise<string> {
  const hash = sha256.create();
  for await (const chunk of open()) hash.update(chunk);
  return bytesToHex(hash.digest());
}

function notAsExported(file: string, problem: string): UserError {
  return new UserError(
    "unsupported_format",
    `This Cofio archive is not as it was exported: ${file} ${problem}.`,
    "Upload the zip as it was downloaded, or import single files of it.",
  );
}
