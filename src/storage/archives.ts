/**
 * Archives in R2: a sequence of sealed chunks, `archives/<user>/<job>/<n>`, and a manifest that is written last, so that
 * nothing half-written is ever offered.
 */
import * as z from "zod";
import type { Keys } from "../vault/keys.ts";
import { openBytes, sealBytes } from "../vault/seal.ts";
import type { Bytes } from "../vault/bytes.ts";

const manifestSchema = z.object({
  chunks: z.int(),
  bytes: z.int(),
  sha256: z.string(),
});
/** `bytes` and `sha256` (hex) are of the plain file. */
export type ArchiveManifest = z.infer<typeof manifestSchema>;

export type ArchiveStore = ReturnType<typeof openArchives>;

export function openArchives(bucket: R2Bucket, keys: Keys) {
  const path = (jobId: string, name: string | number) => `archives/${keys.userId}/${jobId}/${name}`;
  const contextOf = (jobId: string, chunk: number) =>
    ({ id: `${jobId}/${chunk}`, version: 1, kind: "chunk" }) as const;

  async function readChunk(jobId: string, chunk: number): Promise<Bytes> {
    const stored = await bucket.get(path(jobId, chunk));
    if (stored === null) throw new Error(`Chunk ${chunk} of an archive is missing`);
    return openBytes(keys, contextOf(jobId, chunk), new Uint8Array(await stored.arrayBuffer()));
  }

  return {
    /** Writing a chunk again replaces it. */
    async writeChunk(jobId: string, chunk: number, plain: Bytes): Promise<void> {
      await bucket.put(path(jobId, chunk), await sealBytes(keys, contextOf(jobId, chunk), plain));
    },

    /** Reads every chunk back, which proves that the archive opens, and writes the manifest. */
    async finish(jobId: string, chunks: number): Promise<ArchiveManifest> {
      const digest = new crypto.DigestStream("SHA-256");
      const writer = digest.getWriter();
      let bytes = 0;
      for (let chunk = 0; chunk < chunks; chunk++) {
        const plain = await readChunk(jobId, chunk);
        bytes += plain.length;
        await writer.write(plain);
      }
      await writer.close();
      const manifest = { chunks, bytes, sha256: new Uint8Array(await digest.digest).toHex() };
      await bucket.put(path(jobId, "manifest"), JSON.stringify(manifest));
      return manifest;
    },

    /** Null: not finished, or gone. */
    async manifest(jobId: string): Promise<ArchiveManifest | null> {
      const stored = await bucket.get(path(jobId, "manifest"));
      return stored === null ? null : manifestSchema.parse(await stored.json());
    },

    /** The plain file, decrypted chunk by chunk as it is read. */
    read(jobId: string, { chunks }: ArchiveManifest): ReadableStream<Uint8Array> {
      let chunk = 0;
      return new ReadableStream({
        async pull(controller) {
          if (chunk === chunks) return controller.close();
          controller.enqueue(await readChunk(jobId, chunk));
          chunk += 1;
        },
      });
    },

    async remove(jobId: string): Promise<void> {
      let cursor: string | undefined;
      do {
        const page = await bucket.list({
          prefix: path(jobId, ""),
          ...(cursor === undefined ? {} : { cursor }),
        });
        if (page.objects.length > 0) await bucket.delete(page.objects.map(({ key }) => key));
        cursor = page.truncated ? page.cursor : undefined;
      } while (cursor !== undefined);
    },
  };
}
