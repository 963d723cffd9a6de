/**
 * A row: `format | key version | IV (12 random bytes) | ciphertext and tag`. The associated data is the two header
 * bytes and `user|id|version|kind`, so ciphertext that was moved to another row, user or version does not open.
 */
import { fromUtf8, through, utf8, type Bytes } from "./bytes.ts";
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

/** Formats: what is sealed as it is, and what was deflated before (RFC 1951). */
const AS_IT_IS = 1;
const DEFLATED = 2;
/**
 * Bytes of JSON from which on it is deflated, so that a message of 1 MiB stays below D1's limits. Shorter texts are not, because their
 * length would tell how much in them repeats.
 */
const DEFLATED_FROM = 262_144;
const HEADER_BYTES = 2;
/** 96 bits, the size AES-GCM is specified for (NIST SP 800-38D §8.2). */
const IV_BYTES = 12;
/** Of AES-GCM as the platform makes it. */
const TAG_BYTES = 16;

/** Of a row that was altered, moved, cut, or sealed under another key: which of these it was nobody can tell. */
export class DoesNotOpen extends Error {
  override readonly name = "DoesNotOpen";
}

interface Plain {
  readonly format: number;
  readonly plain: Bytes;
}

export function sealBytes(keys: Keys, context: SealContext, plain: Bytes): Promise<Bytes> {
  return seal(keys, context, { format: AS_IT_IS, plain });
}

async function seal(keys: Keys, context: SealContext, { format, plain }: Plain): Promise<Bytes> {
  const header = new Uint8Array([format, keys.version]);
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

/** @throws DoesNotOpen */
export async function openBytes(keys: Keys, context: SealContext, row: Bytes): Promise<Bytes> {
  const header = row.subarray(0, HEADER_BYTES);
  const [format] = header;
  if (format !== AS_IT_IS && format !== DEFLATED) {
    throw new DoesNotOpen(`Unknown row format ${format}`);
  }
  if (row.length < HEADER_BYTES + IV_BYTES + TAG_BYTES)
    throw new DoesNotOpen("Too short for a row");
  const plain = await decrypt(keys, context, row);
  return format === DEFLATED
    ? through(plain, new DecompressionStream("deflate-raw"))
    : new Uint8Array(plain);
}

async function decrypt(keys: Keys, context: SealContext, row: Bytes): Promise<ArrayBuffer> {
  const additionalData = associatedData(keys, context, row.subarray(0, HEADER_BYTES));
  const iv = row.subarray(HEADER_BYTES, HEADER_BYTES + IV_BYTES);
  try {
    return await crypto.subtle.decrypt(
      { name: "AES-GCM", iv, additionalData },
      keys.enc,
      row.subarray(HEADER_BYTES + IV_BYTES),
    );
  } catch (cause) {
    // What the platform throws where the tag is another one. Whatever else fails is no fault of the row.
    if (!(cause instanceof DOMException) || cause.name !== "OperationError") throw cause;
    throw new DoesNotOpen("The row does not open", { cause });
  }
}

/** Seals a JSON value; the result is hex, the form in which D1 takes bytes inside a JSON parameter. */
export async function sealJson(keys: Keys, context: SealContext, value: unknown): Promise<string> {
  return (await seal(keys, context, await packed(value))).toHex();
}

/** Characters that `sealJson` makes of a value. No key is needed to know. */
export async function sealedChars(value: unknown): Promise<number> {
  const { plain } = await packed(value);
  return 2 * (HEADER_BYTES + IV_BYTES + plain.length + TAG_BYTES);
}

async function packed(value: unknown): Promise<Plain> {
  const json = utf8(JSON.stringify(value));
  return json.length < DEFLATED_FROM
    ? { format: AS_IT_IS, plain: json }
    : { format: DEFLATED, plain: await through(json, new CompressionStream("deflate-raw")) };
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
