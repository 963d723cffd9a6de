/** The first file of a Cofio archive: what it is, how much is in it, and what each other file hashes to. */
import * as z from "zod";
import type { ArchiveCounts } from "./archive.ts";

export const ARCHIVE_FORMAT = "cofio-archive";
/** The version of the archive that this writes and reads. */
export const ARCHIVE_VERSION = 1;
export const MANIFEST_FILE = "manifest.json";
export const ARCHIVE_FILES = {
  memories: "memories.jsonl",
  conversations: "conversations.jsonl",
  operations: "operations.jsonl",
  rules: "rules.json",
} as const;

/** Not at module scope, for the same reason as the lines' schemas. */
function makeSchema() {
  return z.object({
    format: z.literal(ARCHIVE_FORMAT),
    version: z.int().min(1),
    created_at: z.iso.datetime(),
    counts: z.record(z.string(), z.int()),
    /** Of ciphertext, as the account counted it: what an account that becomes this one will hold. */
    stored_bytes: z.int().min(0).optional(),
    files: z.array(
      z.object({
        name: z.string(),
        bytes: z.int(),
        /** Hex. */
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    ),
  });
}

export type ArchiveManifest = z.output<ReturnType<typeof makeSchema>>;

export function manifestText(
  createdAt: number,
  {
    counts,
    storedBytes,
  }: { readonly counts: Partial<ArchiveCounts>; readonly storedBytes: number },
  files: ArchiveManifest["files"],
): string {
  const manifest: ArchiveManifest = {
    format: ARCHIVE_FORMAT,
    version: ARCHIVE_VERSION,
    created_at: new Date(createdAt).toISOString(),
    counts,
    stored_bytes: storedBytes,
    files,
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** Null: no manifest of a Cofio archive. */
export function parseManifest(text: string): ArchiveManifest | null {
  try {
    const parsed = makeSchema().safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export function manifestJsonSchema(): string {
  const schema = { title: "Cofio archive: manifest.json", ...z.toJSONSchema(makeSchema()) };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
