import type { MemoryStateRow } from "../storage/memories.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { requireMemory } from "./change.ts";
import { openMemory, type Memory } from "./memory.ts";

export interface MemoryState extends Pick<
  MemoryStateRow,
  "changedOp" | "changedBy" | "changeKind"
> {
  readonly memory: Memory;
}

/** A memory as it is and as it was, newest first, and who made it so. @throws UserError not_found */
export async function memoryStates(
  at: OpenAccount,
  id: string,
  { before = Number.MAX_SAFE_INTEGER, limit }: { readonly before?: number; readonly limit: number },
): Promise<readonly MemoryState[]> {
  await requireMemory(at, id);
  const rows = await at.memories.states(id, { before, limit });
  return Promise.all(
    rows.map(async (row) => ({
      memory: await openMemory(at.keys, row),
      changedOp: row.changedOp,
      changedBy: row.changedBy,
      changeKind: row.changeKind,
    })),
  );
}
