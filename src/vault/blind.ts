/**
 * Keyed one-way forms of words and ids, under the user's `idx` key: equal inputs of one user give equal outputs,
 * and nothing can be learnt or linked without the key. Every use has its own prefix.
 */
import { base32, utf8 } from "./bytes.ts";
import type { Keys } from "./keys.ts";

/** 60 bits. By the birthday bound 5·10^8 distinct tokens in one database give 0.1 expected collisions. */
const TOKEN_CHARS = 12;
/** 130 bits: fingerprints and keys of origin decide identity, so they must never collide. */
const IDENTITY_CHARS = 26;

type Use =
  | "tok/v1"
  | "fp/v1"
  | "label/v1"
  | "id/v1"
  | "args/v1"
  | "cursor/v1"
  | "hash/v1"
  | "path/v1";

/** Blind search tokens, in the order given. Each distinct token costs one HMAC. */
export async function blindTokens(keys: Keys, tokens: readonly string[]): Promise<string[]> {
  const distinct = [...new Set(tokens)];
  const blinded = await Promise.all(
    distinct.map((token) => mac(keys, "tok/v1", token, TOKEN_CHARS)),
  );
  const byToken = new Map(distinct.map((token, index) => [token, blinded[index] ?? ""]));
  return tokens.map((token) => byToken.get(token) ?? "");
}

/** Blind tokens sorted and joined by blanks: the form that stands in a row and in its index entry. */
export async function blindColumn(keys: Keys, tokens: readonly string[]): Promise<string> {
  return (await blindTokens(keys, tokens)).sort().join(" ");
}

/** What names of tags and projects share that differ only by case or form: they are one name. */
export function foldName(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/** Name of a tag or project as a token. */
export function labelToken(keys: Keys, kind: "tag" | "project", name: string): Promise<string> {
  return mac(keys, "label/v1", `${kind}\0${foldName(name)}`, TOKEN_CHARS);
}

/** Identity of a text within its project. `canonical`: from `memory/canonical.ts`. */
export function fingerprint(keys: Keys, canonical: string, project: string): Promise<string> {
  return mac(keys, "fp/v1", `${foldName(project)}\0${canonical}`, IDENTITY_CHARS);
}

/** Identity of a place for a memory file, and of a directory above it. Case matters in a path. */
export function pathToken(keys: Keys, project: string, path: string): Promise<string> {
  return mac(keys, "path/v1", `${foldName(project)}\0${path}`, IDENTITY_CHARS);
}

/** Identity of an item by its platform's own ids, so that importing it twice changes nothing. */
export function originKey(keys: Keys, parts: readonly string[]): Promise<string> {
  return mac(keys, "id/v1", parts.join("\0"), IDENTITY_CHARS);
}

/** Keyed hash that tells whether something changed. */
export function contentHash(keys: Keys, text: string): Promise<string> {
  return mac(keys, "hash/v1", text, IDENTITY_CHARS);
}

/** Keyed hash of a tool call's arguments or idempotency key. */
export function argumentsHash(keys: Keys, text: string): Promise<string> {
  return mac(keys, "args/v1", text, IDENTITY_CHARS);
}

/** Authenticates a cursor for one user and one query. */
export function cursorMac(keys: Keys, text: string): Promise<string> {
  return mac(keys, "cursor/v1", text, TOKEN_CHARS);
}

async function mac(keys: Keys, use: Use, text: string, chars: number): Promise<string> {
  const digest = await crypto.subtle.sign("HMAC", keys.idx, utf8(`${use}\0${text}`));
  return base32(new Uint8Array(digest)).slice(0, chars);
}
