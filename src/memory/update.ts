import { UserError } from "../errors.ts";
import type { Category } from "../storage/closed-lists.ts";
import type { MemoryRow, SealedMemory } from "../storage/memories.ts";
import type { OpenAccount, Caller } from "../storage/open-account.ts";
import { newOperationId } from "../vault/ids.ts";
import {
  cleanTag,
  cleanTags,
  cleanText,
  openMemory,
  openText,
  sealLabels,
  sealMemory,
} from "./memory.ts";
import type { Memory, MemoryText } from "./memory.ts";

export interface MemoryChanges {
  readonly content?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly addTags?: readonly string[] | undefined;
  readonly removeTags?: readonly string[] | undefined;
  /** "" takes the memory out of its project. */
  readonly project?: string | undefined;
  readonly askedAs?: readonly string[] | undefined;
  readonly category?: Category | undefined;
  readonly importance?: number | undefined;
  /** Milliseconds UTC; null: never expires. */
  readonly expiresAt?: number | null | undefined;
  readonly status?: "active" | "trashed" | undefined;
}

/** What a version_conflict carries: the copy as it is, or the id of the memory that says the same. */
export interface ConflictDetails {
  readonly current?: Memory;
  readonly duplicate_of?: string;
}

export interface ChangeResult {
  readonly memory: Memory;
  /** Null when the memory was so already. */
  readonly operationId: string | null;
}

/**
 * Changes any fields; the earlier state stays in the history.
 * @throws UserError not_found, version_conflict, invalid_input, too_large, forbidden (approving a pending memory)
 */
export async function updateMemory(
  at: OpenAccount,
  id: string,
  changes: MemoryChanges,
  caller: Caller,
  ifVersion?: number,
): Promise<ChangeResult> {
  const row = await requireMemory(at, id);
  await requireVersion(at, row, ifVersion);
  if (row.status === "pending" && changes.status === "active" && caller.source !== "dashboard") {
    throw new UserError(
      "forbidden",
      "Waiting memories are approved by the person, in the dashboard.",
      "Ask the person to review it there.",
    );
  }
  const text = await openText(at.keys, row);
  const changedText = changeText(text, changes);
  const facts = {
    ...row,
    category: changes.category ?? row.category,
    importance: changes.importance ?? row.importance,
    expiresAt: changes.expiresAt === undefined ? row.expiresAt : changes.expiresAt,
  };
  const status = changes.status ?? row.status;
  if (
    JSON.stringify(changedText) === JSON.stringify(text) &&
    facts.category === row.category &&
    facts.importance === row.importance &&
    facts.expiresAt === row.expiresAt &&
    status === row.status
  ) {
    return { memory: await openMemory(at.keys, row), operationId: null };
  }

  const operation = operationOf(caller);
  const [sealed, before, after] = await Promise.all([
    sealMemory(
      at.keys,
      at.timeZone,
      {
        ...facts,
        version: row.version + 1,
        updatedAt: caller.now,
        changedOp: operation.id,
        ...statusFacts(row, status, operation.id, caller.now),
      },
      changedText,
    ),
    sealLabels(at.keys, text),
    sealLabels(at.keys, changedText),
  ]);
  const kept = new Set(after.map(({ label }) => label));
  const changed = await at.memories.change(
    {
      id,
      expectedVersion: row.version,
      row: sealed,
      kind: row.status === "trashed" && status === "active" ? "restore" : "update",
      labels: {
        drop: before.map(({ label }) => label).filter((label) => !kept.has(label)),
        add: after,
      },
    },
    operation,
  );
  if (!changed) return explainRefusal(at, row, sealed);
  return { memory: await openMemory(at.keys, sealed), operationId: operation.id };
}

/** Moves a memory to the trash, from where it can be restored. @throws UserError not_found, version_conflict */
export async function deleteMemory(
  at: OpenAccount,
  id: string,
  caller: Caller,
  ifVersion?: number,
): Promise<ChangeResult> {
  const row = await requireMemory(at, id);
  if (row.status === "trashed")
    return { memory: await openMemory(at.keys, row), operationId: null };
  await requireVersion(at, row, ifVersion);
  return trashMemory(at, row, "delete", caller);
}

/** @throws UserError version_conflict when another request changed it meanwhile. */
async function trashMemory(
  at: OpenAccount,
  row: MemoryRow,
  kind: "delete" | "rule",
  caller: Caller,
): Promise<ChangeResult> {
  const operation = operationOf(caller);
  const trashed: SealedMemory = {
    ...row,
    version: row.version + 1,
    updatedAt: caller.now,
    changedOp: operation.id,
    ...statusFacts(row, "trashed", operation.id, caller.now),
  };
  const changed = await at.memories.change(
    { id: row.id, expectedVersion: row.version, row: trashed, kind },
    operation,
  );
  if (!changed) return explainRefusal(at, row, trashed);
  return { memory: await openMemory(at.keys, trashed), operationId: operation.id };
}

/** An expired text makes room for the same one said anew. */
export async function retireExpired(at: OpenAccount, id: string, caller: Caller): Promise<void> {
  const expired = await at.memories.get(id);
  if (expired !== null && expired.status !== "trashed") {
    await trashMemory(at, expired, "rule", caller);
  }
}

/** Another user's id and an unknown one give the same answer. @throws UserError not_found */
export async function requireMemory(at: OpenAccount, id: string): Promise<MemoryRow> {
  const row = await at.memories.get(id);
  if (row === null) {
    throw new UserError(
      "not_found",
      "There is no memory with this id.",
      "Find ids with search_memory or list_memories.",
    );
  }
  return row;
}

async function requireVersion(
  at: OpenAccount,
  row: MemoryRow,
  ifVersion: number | undefined,
): Promise<void> {
  if (ifVersion !== undefined && ifVersion !== row.version) throw await versionConflict(at, row);
}

/** Someone changed the row since it was read, or its text now equals another memory's. */
async function explainRefusal(
  at: OpenAccount,
  row: MemoryRow,
  wanted: SealedMemory,
): Promise<never> {
  const current = await requireMemory(at, row.id);
  if (current.version !== row.version) throw await versionConflict(at, current);
  const twin = await at.memories.getByFingerprint(wanted.fingerprint);
  throw new UserError(
    "version_conflict",
    "Another memory says exactly this already.",
    "Use that one; it is given as `duplicate_of`.",
    twin === null ? {} : ({ duplicate_of: twin.id } satisfies ConflictDetails),
  );
}

async function versionConflict(at: OpenAccount, current: MemoryRow): Promise<UserError> {
  return new UserError(
    "version_conflict",
    `The memory is at version ${current.version} now.`,
    "Look at the current copy, then send its version as `if_version`.",
    { current: await openMemory(at.keys, current) } satisfies ConflictDetails,
  );
}

function changeText(text: MemoryText, changes: MemoryChanges): MemoryText {
  const dropped = new Set(cleanTags(changes.removeTags ?? []).map((tag) => tag.toLowerCase()));
  const project = changes.project ?? text.project;
  const askedAs = changes.askedAs ?? text.askedAs;
  return cleanText({
    content: changes.content ?? text.content,
    tags: [...(changes.tags ?? text.tags), ...(changes.addTags ?? [])].filter(
      (tag) => !dropped.has(cleanTag(tag).toLowerCase()),
    ),
    ...(project === undefined ? {} : { project }),
    ...(askedAs === undefined ? {} : { askedAs }),
  });
}

function statusFacts(row: MemoryRow, status: MemoryRow["status"], op: string, now: number) {
  if (status === row.status) return {};
  return status === "trashed"
    ? { status, trashedAt: now, trashedOp: op }
    : { status, trashedAt: null, trashedOp: null };
}

function operationOf(caller: Caller) {
  return {
    id: newOperationId(caller.now),
    grantId: caller.grantId,
    client: caller.client,
    now: caller.now,
  };
}
