/** Answers of the memory stores, in the shape of Anthropic's API. */
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { retryHeaders, UserError, type UserErrorCode } from "../errors.ts";
import { reportError } from "../log.ts";
import type { FileVersion } from "../memory/file-versions.ts";
import type { Blocked, MemoryFile } from "../memory/files.ts";
import { sha256Of } from "../memory/store-files.ts";
import type { RuleNote } from "../memory/rules.ts";
import type { MemoryStore } from "../memory/stores.ts";
import type { WrittenFile } from "../memory/write-files.ts";
import { iso } from "../mcp/answers.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { userErrorOf } from "../storage/plan.ts";
import { utf8 } from "../vault/bytes.ts";

export type View = "basic" | "full";

const ERRORS = {
  not_found: [404, "not_found_error"],
  invalid_input: [400, "invalid_request_error"],
  too_large: [413, "request_too_large"],
  version_conflict: [409, "conflict_error"],
  idempotency_conflict: [409, "conflict_error"],
  unsupported_format: [400, "invalid_request_error"],
  forbidden: [403, "permission_error"],
  expired: [404, "not_found_error"],
  limit_reached: [429, "rate_limit_error"],
  rate_limited: [429, "rate_limit_error"],
  unavailable: [503, "api_error"],
} as const satisfies Record<UserErrorCode, readonly [ContentfulStatusCode, string]>;

/** @throws UserError version_conflict */
export function written(result: WrittenFile | Blocked): WrittenFile {
  if (result.outcome === "written") return result;
  const { row, text } = result.file;
  throw new UserError(
    "version_conflict",
    result.outcome === "exists"
      ? "Another memory has this path already."
      : "This path and the path of another memory exclude each other: one would be a directory in the other.",
    "Rename or delete that memory, or update it.",
    { conflicting_path: text.path, conflicting_memory_id: `mem_${row.id}` },
  );
}

export function storeAnswer(store: MemoryStore) {
  const { id, name, description, metadata, createdAt, updatedAt, archivedAt } = store;
  return {
    type: "memory_store",
    id: `memstore_${id}`,
    name,
    description,
    metadata,
    created_at: iso(createdAt),
    updated_at: iso(updatedAt),
    archived_at: iso(archivedAt),
  };
}

/** What the person's rules did: a field that Anthropic's API does not have, and its SDK lets pass. */
export function rulesAnswer(notes: readonly RuleNote[]) {
  if (notes.length === 0) return {};
  // Without the memory that made room: who may write may not read for that.
  return { rules: notes.map(({ rule, action, message }) => ({ rule, action, message })) };
}

export async function memoryAnswer(storeId: string, { row, text }: MemoryFile, view: View) {
  return {
    type: "memory",
    id: `mem_${row.id}`,
    memory_store_id: `memstore_${storeId}`,
    memory_version_id: versionId(row.id, row.version),
    path: text.path,
    created_at: iso(row.createdAt),
    updated_at: iso(row.updatedAt),
    ...(await withContent(view, text.content)),
  };
}

const HIDDEN = { content: null, content_sha256: null, content_size_bytes: null };

async function withContent(view: View, content: string) {
  return {
    content: view === "full" ? content : null,
    content_sha256: await sha256Of(content),
    content_size_bytes: utf8(content).length,
  };
}

/** A directory in place of what is in it. */
export function prefixAnswer(path: string) {
  return { type: "memory_prefix", path };
}

export async function versionAnswer(
  { userId }: OpenAccount,
  store: MemoryStore,
  { id, version, status, updatedAt, grantId, text }: FileVersion,
  view: View,
) {
  const isDeleted = status === "trashed";
  const { redacted } = text;
  return {
    type: "memory_version",
    id: versionId(id, version),
    memory_id: `mem_${id}`,
    memory_store_id: `memstore_${store.id}`,
    operation: isDeleted ? "deleted" : version === 1 ? "created" : "modified",
    created_at: iso(updatedAt),
    ...(grantId === null ? {} : { created_by: actor(userId, grantId) }),
    path: redacted === undefined ? text.path : null,
    ...(isDeleted || redacted !== undefined ? HIDDEN : await withContent(view, text.content)),
    redacted_at: redacted === undefined ? null : iso(redacted.at),
    ...(redacted === undefined ? {} : { redacted_by: actor(userId, redacted.grantId) }),
  };
}

function actor(userId: string, grantId: string) {
  return grantId === "dashboard"
    ? { type: "user_actor", user_id: userId }
    : { type: "api_actor", api_key_id: grantId };
}

/** What went wrong. The SDK would repeat what conflicts, which changes nothing but the time it takes: it is told not to. */
export function errorAnswer(error: Error, c: Context): Response {
  const told = userErrorOf(error);
  if (told === null) {
    return c.json(errorBody("api_error", reportError(c.req.routePath, error)), 500);
  }
  const { code, message, hint } = told;
  // What their SDK does at 429: it waits as `Retry-After` says. No other refusal ends by itself so soon.
  c.header("x-should-retry", String(code === "rate_limited"));
  // True for every error that has details with one of these: they are made for this API.
  const details = (told.details ?? {}) as ConflictDetails;
  const [status, type] = ERRORS[code];
  const body = errorBody(typeOf(details) ?? type, `${message} ${hint}`.trimEnd(), {
    ...(details.conflicting_path === undefined ? {} : details),
  });
  return c.json(body, status, retryHeaders(told));
}

interface ConflictDetails {
  readonly precondition?: string;
  readonly conflicting_path?: string;
  readonly conflicting_memory_id?: string;
}

function typeOf({ precondition, conflicting_path }: ConflictDetails): string | null {
  if (conflicting_path !== undefined) return "memory_path_conflict_error";
  return precondition === undefined ? null : "memory_precondition_failed_error";
}

function errorBody(type: string, message: string, details: object = {}) {
  return { type: "error", error: { type, message, ...details } };
}

function versionId(id: string, version: number): string {
  return `memver_${id}_${version}`;
}
