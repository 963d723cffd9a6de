import { BlobReader, Reader, TextWriter, ZipReader } from "@zip.js/zip.js";
import fc from "fast-check";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import {
  centralDirectory,
  compressedBytesOf,
  deflateChunk,
  inflateChunk,
  zipParts,
  type ZipEntry,
} from "../../src/transfer/archive-zip.ts";
import { utf8 } from "../../src/vault/bytes.ts";

const MODIFIED = Date.UTC(2026, 10, 23, 12, 30, 42);

test("whatever stands in however many chunks, a strict reader finds it as it was", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.string({ unit: "grapheme", maxLength: 300 }), { maxLength: 4 }), {
        maxLength: 6,
      }),
      async (files) => {
        const entries = files.map((texts, index) => {
          const chunks = texts.map((text) => deflateChunk(utf8(text)));
          const plain = utf8(texts.join(""));
          const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
          return {
            name: `folder/${index}.txt`,
            chunks,
            crc32: crc32(plain),
            bytes: plain.length,
            compressedBytes: compressedBytesOf(bytes),
          };
        });
        const parts = zipParts(entries, MODIFIED, ({ chunks }) => chunks);
        const read = await readZip(new Blob(parts));
        expect(read).toEqual(
          files.map((texts, index) => [`folder/${index}.txt`, texts.join("").toWellFormed()]),
        );
        expect(entries.flatMap(({ chunks }) => chunks.map((chunk) => inflateChunk(chunk)))).toEqual(
          files.flat().map((text) => utf8(text)),
        );
      },
    ),
    { numRuns: 60 },
  );
});

async function readZip(zip: Blob): Promise<[string, string][]> {
  const reader = new ZipReader(new BlobReader(zip), { useWebWorkers: false, strictness: "strict" });
  const found: [string, string][] = [];
  for (const entry of await reader.getEntries()) {
    if (entry.directory) throw new Error("There are no folders");
    const text = await entry.getData(new TextWriter(), {
      checkSignature: true,
      useWebWorkers: false,
    });
    found.push([entry.filename, text]);
  }
  return found;
}

test("sizes, places and counts beyond 32 and 16 bits stand in zip64's fields", async () => {
  const large = 5 * 2 ** 30;
  const entries: ZipEntry[] = [
    { name: "large.jsonl", crc32: 0xdeadbeef, bytes: 3 * large, compressedBytes: large },
    { name: "inflated.jsonl", crc32: 1, bytes: large, compressedBytes: 1_000 },
    { name: "behind.json", crc32: 2, bytes: 10, compressedBytes: 12 },
  ];
  const read = await new ZipReader(directoryReader(entries), { useWebWorkers: false }).getEntries();
  expect(
    read.map(({ filename, uncompressedSize, compressedSize, zip64 }) => ({
      filename,
      uncompressedSize,
      compressedSize,
      zip64,
    })),
  ).toEqual(
    entries.map(({ name, bytes, compressedBytes }) => ({
      filename: name,
      uncompressedSize: bytes,
      compressedSize: compressedBytes,
      zip64: true,
    })),
  );
  expect(read[2]?.offset).toBeGreaterThan(large);
  expect(read[0]?.signature).toBe(0xdeadbeef);
  expect(read[0]?.lastModDate.getUTCFullYear()).toBe(2026);

  const many = Array.from({ length: 70_000 }, (_, index) => ({
    name: `${index}`,
    crc32: 0,
    bytes: 0,
    compressedBytes: 2,
  }));
  const directory = centralDirectory(many, MODIFIED);
  const end = new DataView(directory.buffer, directory.length - 22);
  const zip64End = new DataView(directory.buffer, directory.length - 22 - 20 - 56);
  expect([end.getUint16(10, true), zip64End.getBigUint64(32, true)]).toEqual([0xffff, 70_000n]);
});

/** A zip whose files are not there: only its directory is ever read. */
function directoryReader(entries: readonly ZipEntry[]) {
  const directory = centralDirectory(entries, MODIFIED);
  const LOCAL_HEADER_BYTES = 30;
  const ZIP64_FIELD_BYTES = 20;
  const before = entries.reduce(
    (sum, { name, bytes, compressedBytes }) =>
      sum +
      LOCAL_HEADER_BYTES +
      name.length +
      (Math.max(bytes, compressedBytes) >= 0xffff_ffff ? ZIP64_FIELD_BYTES : 0) +
      compressedBytes,
    0,
  );
  return new (class extends Reader<void> {
    override async init() {
      this.size = before + directory.length;
    }
    override async readUint8Array(offset: number, length: number) {
      const bytes = new Uint8Array(length);
      bytes.set(
        directory.subarray(Math.max(0, offset - before), Math.max(0, offset - before + length)),
        Math.max(0, before - offset),
      );
      return bytes;
    }
  })();
}
