/**
 * A zip from files that are compressed already, put together as it is read. A library's writer compresses what it packs and keeps its state in
 * an object, which a restart loses; here every chunk stands by itself, and the frame around the chunks follows from a list.
 * Format: APPNOTE.TXT 6.3.10 (pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT), section numbers below.
 */
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { utf8, type Bytes } from "../vault/bytes.ts";

export interface ZipEntry {
  /** ASCII. */
  readonly name: string;
  readonly crc32: number;
  readonly bytes: number;
  readonly compressedBytes: number;
}

/** The empty last block of a deflate stream (RFC 1951, 3.2.3 and 3.2.6). */
const DEFLATE_END = new Uint8Array([0x03, 0x00]);

/** Ends at a whole byte and without a last block, so that the chunks of a file follow each other as one deflate stream. */
export function deflateChunk(plain: Bytes): Bytes {
  return new Uint8Array(deflateRawSync(plain, { finishFlush: constants.Z_SYNC_FLUSH }));
}

export function inflateChunk(chunk: Bytes): Bytes {
  const whole = new Uint8Array(chunk.length + DEFLATE_END.length);
  whole.set(chunk);
  whole.set(DEFLATE_END, chunk.length);
  return new Uint8Array(inflateRawSync(whole));
}

/** Bytes of a file whose chunks take that many. */
export function compressedBytesOf(chunkBytes: number): number {
  return chunkBytes + DEFLATE_END.length;
}

/**
 * What the zip consists of, in order: bytes of the frame, and what stands for the chunks.
 * @param chunksOf what stands for a file's chunks, which are as `deflateChunk` made them
 */
export function zipParts<Entry extends ZipEntry, Chunk>(
  entries: readonly Entry[],
  modifiedAt: number,
  chunksOf: (entry: Entry) => readonly Chunk[],
): (Bytes | Chunk)[] {
  return [
    ...entries.flatMap((entry) => [
      localHeader(entry, modifiedAt),
      ...chunksOf(entry),
      DEFLATE_END,
    ]),
    centralDirectory(entries, modifiedAt),
  ];
}

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const ZIP64_END = 0x06064b50;
const ZIP64_LOCATOR = 0x07064b50;
const END = 0x06054b50;
/** What needs more than 32 or 16 bits stands in a field of its own (4.5.3). */
const MAX_32 = 0xffff_ffff;
const MAX_16 = 0xffff;
const ZIP64_FIELD = 0x0001;
/** 2.0 for deflate, 4.5 for zip64 (4.4.3.2). */
const VERSION = 20;
const ZIP64_VERSION = 45;
const DEFLATE = 8;

function localHeader(entry: ZipEntry, modifiedAt: number): Bytes {
  const name = utf8(entry.name);
  const extra = isLarge(entry) ? zip64Field([entry.bytes, entry.compressedBytes]) : [];
  return packed([
    [4, LOCAL_HEADER],
    ...commonFields(entry, modifiedAt),
    [2, name.length],
    [2, sizeOf(extra)],
    name,
    ...extra,
  ]);
}

/** Where each entry begins follows from the sizes of those before it. */
export function centralDirectory(entries: readonly ZipEntry[], modifiedAt: number): Bytes {
  const fields: Field[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = utf8(entry.name);
    const large = [
      ...(isLarge(entry) ? [entry.bytes, entry.compressedBytes] : []),
      ...(offset >= MAX_32 ? [offset] : []),
    ];
    const extra = large.length === 0 ? [] : zip64Field(large);
    fields.push(
      [4, CENTRAL_HEADER],
      // Made by that version too, for no system in particular.
      [2, ZIP64_VERSION],
      ...commonFields(entry, modifiedAt),
      [2, name.length],
      [2, sizeOf(extra)],
      // Comment, disk, attributes.
      ...([2, 2, 2, 4] as const).map((width): Field => [width, 0]),
      [4, Math.min(offset, MAX_32)],
      name,
      ...extra,
    );
    offset += localHeader(entry, modifiedAt).length + entry.compressedBytes;
  }
  const size = sizeOf(fields);
  const count = entries.length;
  const end: Field[] = [
    [4, END],
    [2, 0],
    [2, 0],
    [2, Math.min(count, MAX_16)],
    [2, Math.min(count, MAX_16)],
    [4, Math.min(size, MAX_32)],
    [4, Math.min(offset, MAX_32)],
    [2, 0],
  ];
  const isZip64 = count >= MAX_16 || size >= MAX_32 || offset >= MAX_32;
  const zip64: Field[] = [
    [4, ZIP64_END],
    // Of the rest of this record (4.3.14.1).
    [8, 44],
    [2, ZIP64_VERSION],
    [2, ZIP64_VERSION],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, size],
    [8, offset],
    [4, ZIP64_LOCATOR],
    [4, 0],
    [8, offset + size],
    [4, 1],
  ];
  return packed([...fields, ...(isZip64 ? zip64 : []), ...end]);
}

/** A number of so many bytes, little-endian, or bytes as they are. */
type Field = readonly [width: 2 | 4 | 8, value: number] | Bytes;

/** What local and central header share (4.3.7, 4.3.12). */
function commonFields(entry: ZipEntry, modifiedAt: number): Field[] {
  const large = isLarge(entry);
  const date = new Date(modifiedAt);
  return [
    [2, large ? ZIP64_VERSION : VERSION],
    [2, 0],
    [2, DEFLATE],
    // MS-DOS time and date, here UTC (4.4.6).
    [2, (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1)],
    [
      2,
      ((date.getUTCFullYear() - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate(),
    ],
    [4, entry.crc32],
    [4, large ? MAX_32 : entry.compressedBytes],
    [4, large ? MAX_32 : entry.bytes],
  ];
}

function zip64Field(values: readonly number[]): Field[] {
  return [[2, ZIP64_FIELD], [2, values.length * 8], ...values.map((value): Field => [8, value])];
}

function isLarge({ bytes, compressedBytes }: ZipEntry): boolean {
  return bytes >= MAX_32 || compressedBytes >= MAX_32;
}

function sizeOf(fields: readonly Field[]): number {
  return fields.reduce((sum, field) => sum + widthOf(field), 0);
}

function widthOf(field: Field): number {
  return field instanceof Uint8Array ? field.length : field[0];
}

function packed(fields: readonly Field[]): Bytes {
  const bytes = new Uint8Array(sizeOf(fields));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const field of fields) {
    if (field instanceof Uint8Array) bytes.set(field, at);
    else if (field[0] === 2) view.setUint16(at, field[1], true);
    else if (field[0] === 4) view.setUint32(at, field[1], true);
    else view.setBigUint64(at, BigInt(field[1]), true);
    at += widthOf(field);
  }
  return bytes;
}
