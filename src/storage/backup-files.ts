/**
 * Backups in R2: chunks of rows as they are, `backups/<user>/<job>/<n>`, and a manifest that is written last. Whatever is read is
 * compared with its hash first, so a backup that was damaged says so and is never half believed.
 */
import * as z from "zod";
import { fromUtf8, through, utf8, type Bytes } from "../vault/bytes.ts";
import { removeObjects } from "./remove-objects.ts";

/** Hashes are SHA-256 in hex. */
const manifestSchema = z.object({
  format: z.literal("cofio-backup"),
  version: z.literal(1),
  /** ISO 8601. */
  created_at: z.string(),
  /** The newest migration of the database. */
  migration: z.string(),
  /** The newest operation when reading began; null: there was none. */
  operation: z.string().nullable(),
  /** Whether no operation came in between: then the rows are of one moment. */
  settled: z.boolean(),
  tables: z.array(
    z.object({
      name: z.string(),
      columns: z.array(z.string()),
      rows: z.int(),
      /** Of its chunks' `rows_sha256`, one after the other. */
      sha256: z.string(),
    }),
  ),
  /** Chunk n is object n. A table's chunks follow one another, each with the rows up to its `last` key. */
  chunks: z.array(
    z.object({
      table: z.string(),
      rows: z.int(),
      /** Key of its last row in the table's order; null: there is no later row. */
      last: z
        .array(z.union([z.string(), z.number()]))
        .readonly()
        .nullable(),
      /** Of the object. */
      bytes: z.int(),
      sha256: z.string(),
      /** Of the rows before they were compressed. */
      rows_sha256: z.string(),
    }),
  ),
});
export type BackupManifest = z.infer<typeof manifestSchema>;
export type BackupChunk = BackupManifest["chunks"][number];

/** What is wrong with a backup, as a sentence. */
export interface Damage {
  readonly problem: string;
}

export type BackupFiles = ReturnType<typeof openBackupFiles>;

export function openBackupFiles(bucket: R2Bucket, userId: string) {
  const path = (jobId: string, name: string | number) => `backups/${userId}/${jobId}/${name}`;

  return {
    /** Writing a chunk again replaces it. */
    async writeChunk(
      jobId: string,
      chunk: number,
      lines: string,
    ): Promise<Pick<BackupChunk, "bytes" | "sha256" | "rows_sha256">> {
      const plain = utf8(lines);
      // Ciphertext does not shrink, but its hex and the tokens beside it do.
      const packed = await through(plain, new CompressionStream("gzip"));
      await bucket.put(path(jobId, chunk), packed);
      return {
        bytes: packed.length,
        sha256: await sha256(packed),
        rows_sha256: await sha256(plain),
      };
    },

    async readChunk(
      jobId: string,
      chunk: number,
      expected: BackupChunk,
    ): Promise<{ readonly lines: string } | Damage> {
      const stored = await bucket.get(path(jobId, chunk));
      if (stored === null) return { problem: `Chunk ${chunk} is missing.` };
      const packed = new Uint8Array(await stored.arrayBuffer());
      if ((await sha256(packed)) !== expected.sha256) {
        return { problem: `Chunk ${chunk} is not as it was written.` };
      }
      return { lines: fromUtf8(await through(packed, new DecompressionStream("gzip"))) };
    },

    /** @returns its hash, which the job keeps */
    async writeManifest(jobId: string, manifest: BackupManifest): Promise<string> {
      const bytes = utf8(JSON.stringify(manifest));
      await bucket.put(path(jobId, "manifest"), bytes);
      return sha256(bytes);
    },

    async readManifest(
      jobId: string,
      hash: string | null,
    ): Promise<{ readonly manifest: BackupManifest } | Damage> {
      const stored = await bucket.get(path(jobId, "manifest"));
      if (stored === null) return { problem: "The manifest is missing." };
      const bytes = new Uint8Array(await stored.arrayBuffer());
      if ((await sha256(bytes)) !== hash) {
        return { problem: "The manifest is not as it was written." };
      }
      return { manifest: manifestSchema.parse(JSON.parse(fromUtf8(bytes))) };
    },

    async remove(jobId: string): Promise<void> {
      await removeObjects(bucket, path(jobId, ""));
    },
  };
}

/** In hex. */
export async function sha256(bytes: Bytes): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
