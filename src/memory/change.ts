/** What every change of a stored memory has in common: the version that it is about, the row that it writes and what may stand against it. */
import { UserError } from "../errors.ts";
import type { ChangeInput, MemoryRow, OperationInput, SealedMemory } from "../storage/memories.ts";
import type { OpenAccount, Caller } from "../storage/open-account.ts";
import { newOperationId } from "../vault/ids.ts";
import { ROOT } from "./file-path.ts";
import { openMemory, openText, type Memory, type MemoryText } from "./memory.ts";
import { ownFingerprint } from "./own-fingerprint.ts";
import { twinNote, type RuleNote } from "./rules.ts";

/** What a version_conflict carries: the copy as it is, or the id of the memory that says the same. */
export interface ConflictDetails {
  readonly current?: Memory;
  readonly duplicate_of?: string;
}

export interface ChangeResult {
  readonly memory: Memory;
  /** Null when the memory was so already. */
  readonly operationId: string | null;
  /** What the person's rules did to it. */
  readonly rules: readonly RuleNote[];
}

/** Writes the changed row; where equal memories are kept, beside one that says the same. @throws UserError version_conflict */
export async function writeChange(
  at: OpenAccount,
  row: MemoryRow,
  input: ChangeInput,
  {
    operation,
    text,
    notes,
  }: {
    readonly operation: OperationInput;
    readonly text: MemoryText;
    readonly notes: readonly RuleNote[];
  },
): Promise<ChangeResult> {
  const done = async (sealed: SealedMemory, more: readonly RuleNote[] = []) => ({
    memory: await openMemory(at.keys, sealed),
    operationId: operation.id,
    rules: [...notes, ...more],
  });
  // What stands for a store is replaced by no memory, whatever an imported file says.
  const { supersedes, ...without } = input;
  const replaced = supersedes === undefined ? null : await at.memories.get(supersedes);
  const wanted = replaced !== null && (await isRoot(at, replaced)) ? without : input;
  if (await at.memories.change(wanted, operation)) return done(input.row);
  const { deduplication } = at.rules;
  // Files are never kept beside each other at one path.
  const twin =
    deduplication === "on" || text.path !== undefined
      ? null
      : await at.memories.getByFingerprint(input.row.fingerprint);
  if (twin !== null && twin.id !== row.id) {
    const beside = {
      ...input.row,
      fingerprint: await ownFingerprint(at.keys, text, row.id),
    };
    if (await at.memories.change({ ...wanted, row: beside }, operation)) {
      return done(beside, deduplication === "report" ? [twinNote(twin.id)] : []);
    }
  }
  return explainRefusal(at, row, input.row);
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

/** Whether it makes its project a memory store. */
export async function isRoot(
  at: OpenAccount,
  row: Pick<MemoryRow, "id" | "bodyVersion" | "body" | "pathToken">,
): Promise<boolean> {
  return row.pathToken !== null && (await openText(at.keys, row)).path === ROOT;
}

/** Of what would leave the files of a store behind, where they answer to nobody. */
export function rootRefusal(): UserError {
  return new UserError(
    "invalid_input",
    "This memory describes a memory store, which has the name of its project.",
    "Rename, change or delete the store over /v1/memory_stores.",
  );
}

/** @throws UserError version_conflict */
export async function requireVersion(
  at: OpenAccount,
  row: MemoryRow,
  ifVersion: number | undefined,
): Promise<void> {
  if (ifVersion !== undefined && ifVersion !== row.version) throw await versionConflict(at, row);
}

/** Someone changed the row since it was read, or its text now equals another memory's. @throws UserError version_conflict */
export async function explainRefusal(
  at: OpenAccount,
  row: MemoryRow,
  wanted: SealedMemory,
): Promise<never> {
  const current = await requireMemory(at, row.id);
  if (current.version !== row.version) throw await versionConflict(at, current);
  const twin = await at.memories.getByFingerprint(wanted.fingerprint);
  if (twin === null && wanted.pathToken !== null) {
    throw new UserError(
      "version_conflict",
      "This path is a directory by now, or one of the directories above it is a file.",
      "Rename or delete what stands there first.",
    );
  }
  throw new UserError(
    "version_conflict",
    wanted.pathToken === null
      ? "Another memory says exactly this already."
      : "Another file stands at this path already.",
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

/** What a change of status writes beside it. */
export function statusFacts(row: MemoryRow, status: MemoryRow["status"], op: string, now: number) {
  if (status === row.status) return {};
  return status === "trashed"
    ? { status, trashedAt: now, trashedOp: op }
    : { status, trashedAt: null, trashedOp: null };
}

export function operationOf(caller: Caller): OperationInput {
  return {
    id: newOperationId(caller.now),
    grantId: caller.grantId,
    client: caller.client,
    now: caller.now,
  };
}
