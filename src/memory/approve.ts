/** Waiting memories: who may take them into use, and what that does. */
import { UserError } from "../errors.ts";
import type { MemoryRow } from "../storage/memories.ts";
import type { OpenAccount, Caller } from "../storage/open-account.ts";
import { operationOf, writeChange, type ChangeResult } from "./change.ts";
import { openText } from "./memory.ts";

/** Takes a waiting memory into use. @throws UserError version_conflict when another request changed it meanwhile. */
export async function approveMemory(
  at: OpenAccount,
  row: MemoryRow,
  userAsked: boolean,
  caller: Caller,
): Promise<ChangeResult> {
  const operation = operationOf(caller);
  const text = await openText(at.keys, row);
  const { supersedes } = text;
  return writeChange(
    at,
    row,
    {
      id: row.id,
      expectedVersion: row.version,
      row: {
        ...row,
        status: "active",
        userAsked: row.userAsked || userAsked,
        version: row.version + 1,
        updatedAt: caller.now,
        changedOp: operation.id,
      },
      kind: "update",
      // What it was to replace is the person's decision, and a save of the same text does not say it.
      ...(supersedes === undefined || !caller.trusted ? {} : { supersedes }),
    },
    { operation, text, notes: [] },
  );
}

/** The status that is wished for, as far as the caller may give it. @throws UserError forbidden */
export async function nextStatus(
  at: OpenAccount,
  row: MemoryRow,
  wished: "active" | "trashed" | undefined,
  caller: Caller,
): Promise<{ readonly status: MemoryRow["status"]; readonly isApproval: boolean }> {
  const isRestored = wished === "active" && row.status === "trashed";
  const before = isRestored ? await at.memories.statusBeforeTrash(row.id) : null;
  return allowedStatus(row, wished, { caller, before });
}

/** @param options.before the status that a memory had when it went to the trash; null: it is not there @throws UserError forbidden */
export function allowedStatus(
  row: Pick<MemoryRow, "status">,
  wished: "active" | "trashed" | undefined,
  {
    caller,
    before,
  }: { readonly caller: Caller; readonly before: Exclude<MemoryRow["status"], "trashed"> | null },
): { readonly status: MemoryRow["status"]; readonly isApproval: boolean } {
  const unchanged = { status: wished ?? row.status, isApproval: false };
  if (wished !== "active" || row.status === "active") return unchanged;
  if (row.status === "pending") {
    if (caller.trusted) return { status: "active", isApproval: true };
    throw new UserError(
      "forbidden",
      "Only the user approves a waiting memory.",
      "Ask them: they approve it with a token that they marked as trusted on the server's page. If they asked for it to be saved, save it again with user_asked.",
    );
  }
  // The way through the trash must not be a way around approval.
  if (before === "active") return unchanged;
  return caller.trusted
    ? { status: "active", isApproval: true }
    : { status: "pending", isApproval: false };
}
