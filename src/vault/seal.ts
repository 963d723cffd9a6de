/**
 * Row format v1: `01 | key version | IV (12 random bytes) | ciphertext and tag`. The associated data is the two header
 * bytes and `user|id|version|kind`, so ciphertext that was moved to another row, user or version does not open.
 */
import { fromUtf8, utf8, type Bytes } from "./bytes.ts";
import type { Keys } from "./keys.ts";

export type SealedKind =
  | "memory"
  | "conversation"
  | "message"
  | "label"
  | "rules"
  | "result"
  | "job"
  | "chunk";

/** What a ciphertext is bound to. Ids never contain `|`. */
export interface SealContext {
  readonly id: string;
  readonly version: number;
  readonly kind: SealedKind;
}

const FORMAT = 1;
const HEADER_BYTES = 2;
/** 96 bits, the size AES-GCM is specified for (NIST SP 800-38D §8.2). */
const IV_BYTES = 12;

export async function sealBytes(keys: Keys, context: SealContext, plain: Bytes): Promise<Bytes> {
  const header = new Uint8Array([FORMAT, keys.version]);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: associatedData(keys, context, header) },
    keys.enc,
    plain,
  );
  const row = new Uint8Array(HEADER_BYTES + IV_BYTES + sealed.byteLength);
  row.set(header);
  row.set(iv, HEADER_BYTES);
  row.set(new Uint8Array(sealed), HEADER_BYTES + IV_BYTES);
  return row;
}

/** @throws Error when the row was altered, moved, or sealed under another key. */
export async function openBytes(keys: Keys, context: SealContext, row: Bytes): Promise<Bytes> {
  const header = row.subarray(0, HEADER_BYTES);
  if (header[0] !== FORMAT) throw new Error(`Unknown row format ${header[0]}`);
  const plain = await crypto.subtle.decrypt(
    {
      name: "AES-GCM",
      iv: row.subarray(HEADER_BYTES, HEADER_BYTES + IV_BYTES),
      additionalData: associatedData(keys, context, header),
    },
    keys.enc,
    row.subarray(HEADER_BYTES + IV_BYTES),
  );
  return new Uint8Array(plain);
}

/** Seals a JSON value; the result is hex, the form in which D1 takes bytes inside a JSON parameter. */
export async function sealJson(keys: Keys, context: SealContext, value: unknown): Promise<string> {
  return (await sealBytes(keys, context, utf8(JSON.stringify(value)))).toHex();
}

/** Opens what `sealJson` made. The caller names the type: the associated data proves who wrote it. */
export async function openJson<T>(keys: Keys, context: SealContext, hex: string): Promise<T> {
  const plain = await openBytes(keys, context, Uint8Array.fromHex(hex));
  // True because only `sealJson` under this user's key writes rows of this kind.
  return JSON.parse(fromUtf8(plain)) as T;
}

function associatedData(keys: Keys, { id, version, kind }: SealContext, header: Bytes): Bytes {
  const context = utf8(`${keys.userId}|${id}|${version}|${kind}`);
  const data = new Uint8Array(header.length + context.length);
  data.set(header);
  data.set(context, header.length);
  return data;
}
