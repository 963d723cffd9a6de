/**
 * Archives in R2: sealed objects `archives/<user>/<job>/<name>`, numbered chunks and what describes them, and a manifest that is written
 * last, so that nothing half-written is ever offered.
 */
import * as z from "zod";
import type { Keys } from "../vault/keys.ts";
import { openBytes, openJson, sealBytes, sealJson } from "../vault/seal.ts";
import type { Bytes } from "../vault/bytes.ts";
import { removeObjects } from "./remove-objects.ts";

const manifestSchema = z.object({
  chunks: z.int(),
  bytes: z.int(),
  sha256: z.string(),
});
/** `bytes` and `sha256` (hex) are of the file that is downloaded. */
export type StoredManifest = z.infer<typeof manifestSchema>;

/** Which files it has and where they are; and how far reading it back, or hashing the whole, had come after a step. */
type NoteName = "contents" | `check ${number}` | `sum ${number}`;

export type ArchiveStore = ReturnType<typeof openArchives>;

export function openArchives(bucket: R2Bucket, keys: Keys) {
  const path = (jobId: string, name: string | number) => `archives/${keys.userId}/${jobId}/${name}`;
  const contextOf = (jobId: string, name: string | number) =>
    ({ id: `${jobId}/${name}`, version: 1, kind: "chunk" }) as const;

  return {
    /** Writing a chunk again replaces it. */
    async writeChunk(jobId: string, chunk: number, plain: Bytes): Promise<void> {
      await bucket.put(path(jobId, chunk), await sealBytes(keys, contextOf(jobId, chunk), plain));
    },

    async readChunk(jobId: string, chunk: number): Promise<Bytes> {
      const stored = await bucket.get(path(jobId, chunk));
      if (stored === null) throw new Error(`Chunk ${chunk} of an archive is missing`);
      return openBytes(keys, contextOf(jobId, chunk), new Uint8Array(await stored.arrayBuffer()));
    },

    /** What is known of an archive, sealed like its chunks: hashes of short files would tell what stands in them. */
    async writeNote(jobId: string, name: NoteName, note: unknown): Promise<void> {
      await bucket.put(path(jobId, name), await sealJson(keys, contextOf(jobId, name), note));
    },

    /** The caller names the type of what it wrote. */
    async readNote<T>(jobId: string, name: NoteName): Promise<T> {
      const stored = await bucket.get(path(jobId, name));
      if (stored === null) throw new Error(`The ${name} of an archive are missing`);
      return openJson<T>(keys, contextOf(jobId, name), await stored.text());
    },

    async writeManifest(jobId: string, manifest: StoredManifest): Promise<void> {
      await bucket.put(path(jobId, "manifest"), JSON.stringify(manifest));
    },

    /** Null: not finished, or gone. */
    async manifest(jobId: string): Promise<StoredManifest | null> {
      const stored = await bucket.get(path(jobId, "manifest"));
      return stored === null ? null : manifestSchema.parse(await stored.json());
    },

    async remove(jobId: string): Promise<void> {
      await removeObjects(bucket, path(jobId, ""));
    },
  };
}
