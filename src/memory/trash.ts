import type { MemoryRow, SealedMemory } from "../storage/memories.ts";
import type { OpenAccount, Caller } from "../storage/open-account.ts";
import {
  explainRefusal,
  isRoot,
  operationOf,
  requireMemory,
  requireVersion,
  rootRefusal,
  statusFacts,
  type ChangeResult,
} from "./change.ts";
import { openMemory } from "./memory.ts";

/** Moves a memory to the trash, from where it can be restored. @throws UserError not_found, version_conflict, invalid_input (the root of a store) */
export async function deleteMemory(
  at: OpenAccount,
  id: string,
  caller: Caller,
  ifVersion?: number,
): Promise<ChangeResult> {
  const row = await requireMemory(at, id);
  if (row.status === "trashed") return asItIs(at, row);
  await requireVersion(at, row, ifVersion);
  if (await isRoot(at, row)) throw rootRefusal();
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
  if (changed)
    return { memory: await openMemory(at.keys, trashed), operationId: operation.id, rules: [] };
  // Of two who delete it at once the later one finds it deleted, as if it had come afterwards.
  const now = await at.memories.get(row.id);
  return now?.status === "trashed" ? asItIs(at, now) : explainRefusal(at, row, trashed);
}

async function asItIs(at: OpenAccount, row: MemoryRow): Promise<ChangeResult> {
  return { memory: await openMemory(at.keys, row), operationId: null, rules: [] };
}

/** An expired text makes room for the same one said anew. */
export async function retireExpired(at: OpenAccount, id: string, caller: Caller): Promise<void> {
  const expired = await at.memories.get(id);
  if (expired !== null && expired.status !== "trashed") {
    await trashMemory(at, expired, "rule", caller);
  }
}
