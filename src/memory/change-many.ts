/** The same change of many memories, as one operation: what a person ticks in a list. */
import type { ManyRewrite } from "../storage/many-memories.ts";
import type { MemoryRow } from "../storage/memories.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { allowedStatus } from "./approve.ts";
import { operationOf, statusFacts } from "./change.ts";
import { labelChanges, openText, sealMemory } from "./memory.ts";
import { checkSecrets, refuseTags } from "./rules.ts";
import { changeText } from "./update.ts";

export interface ManyChanges {
  /** `active` restores from the trash, and approves what waits. */
  readonly status?: "active" | "trashed" | undefined;
  readonly addTags?: readonly string[] | undefined;
  readonly removeTags?: readonly string[] | undefined;
}

export interface LeftMemory {
  readonly id: string;
  /**
   * `unchanged`: it was so already. `changed_since`: by another request meanwhile. `duplicate`: a living memory says the same.
   * `redacted`: its text was taken out for good.
   */
  readonly reason: "not_found" | "unchanged" | "changed_since" | "duplicate" | "redacted";
}

export interface ManyResult {
  /** Null when nothing was changed. */
  readonly operationId: string | null;
  readonly changed: readonly string[];
  readonly left: readonly LeftMemory[];
}

/** One batch. With texts of the largest size it stays below the 128 MB of an isolate. */
export const MAX_MEMORIES = 200;

/** `ids`: distinct, at most MAX_MEMORIES. @throws UserError forbidden (approving), invalid_input (tags) */
export async function changeMemories(
  at: OpenAccount,
  ids: readonly string[],
  changes: ManyChanges,
  caller: Caller,
): Promise<ManyResult> {
  const rows = await at.memories.getMany(ids);
  const tags = await checkTags(at, changes);
  const trashed = rows.filter(({ status }) => status === "trashed").map(({ id }) => id);
  const waited =
    changes.status === "active" && trashed.length > 0
      ? await at.memories.waitedBeforeTrash(trashed)
      : new Set<string>();
  const operation = operationOf(caller);
  const planned = await Promise.all(
    rows.map(async (row) => {
      const before = row.status !== "trashed" ? null : waited.has(row.id) ? "pending" : "active";
      const next = allowedStatus(row, changes.status, { caller, before });
      return { row, plan: await planOf(at, row, { ...next, tags, op: operation.id, caller }) };
    }),
  );
  const rewrites: ManyRewrite[] = [];
  const left: LeftMemory[] = ids
    .filter((id) => !rows.some((row) => row.id === id))
    .map((id) => ({ id, reason: "not_found" }));
  const returning = new Set<string>();
  for (const { row, plan } of planned) {
    if (typeof plan === "string") left.push({ id: row.id, reason: plan });
    else if (plan.returns && returning.has(row.fingerprint)) {
      left.push({ id: row.id, reason: "duplicate" });
    } else {
      if (plan.returns) returning.add(row.fingerprint);
      rewrites.push(plan);
    }
  }
  const kind = changes.status === "trashed" ? "delete" : trashed.length > 0 ? "restore" : "update";
  const done =
    rewrites.length === 0
      ? new Set<string>()
      : await at.manyMemories.rewrite(rewrites, kind, operation);
  for (const { row, returns } of rewrites) {
    if (!done.has(row.id)) {
      left.push({ id: row.id, reason: returns ? "duplicate" : "changed_since" });
    }
  }
  return { operationId: done.size === 0 ? null : operation.id, changed: [...done], left };
}

interface Plan {
  readonly status: MemoryRow["status"];
  readonly isApproval: boolean;
  readonly tags: Pick<ManyChanges, "addTags" | "removeTags"> | null;
  readonly op: string;
  readonly caller: Caller;
}

/** The row as it is to be, or why it stays as it is. */
async function planOf(
  at: OpenAccount,
  row: MemoryRow,
  { status, isApproval, tags, op, caller }: Plan,
): Promise<ManyRewrite | "unchanged" | "redacted"> {
  const facts = {
    ...row,
    version: row.version + 1,
    updatedAt: caller.now,
    changedOp: op,
    ...statusFacts(row, status, op, caller.now),
  };
  const returns = row.status === "trashed" && status !== "trashed" && row.supersededBy === null;
  if (tags === null && !isApproval) {
    return status === row.status ? "unchanged" : { row: facts, returns, supersedes: null };
  }
  const text = await openText(at.keys, row);
  if (text.redacted !== undefined) return "redacted";
  const supersedes = isApproval ? (text.supersedes ?? null) : null;
  if (tags === null) return { row: facts, returns, supersedes };
  const { supersedes: waiting } = text;
  const clean = changeText(text, tags);
  const changed = waiting === undefined || isApproval ? clean : { ...clean, supersedes: waiting };
  if (JSON.stringify(changed) === JSON.stringify(text) && status === row.status) return "unchanged";
  const refused = refuseTags(
    at.rules,
    changed.tags.filter((tag) => !text.tags.includes(tag)),
  );
  if (refused !== null) throw refused;
  const [sealed, labels] = await Promise.all([
    sealMemory(at.keys, at.timeZone, facts, changed),
    labelChanges(at.keys, text, changed),
  ]);
  // Tags are no part of what a memory says, so it stays whose it is.
  return { row: { ...sealed, fingerprint: row.fingerprint }, labels, returns, supersedes };
}

/** Null: tags are not to change. @throws UserError invalid_input */
async function checkTags(
  { rules }: OpenAccount,
  { addTags, removeTags }: ManyChanges,
): Promise<Plan["tags"]> {
  if (addTags === undefined && removeTags === undefined) return null;
  const sent = await checkSecrets(rules, { tags: addTags });
  if (sent.refusal !== null) throw sent.refusal;
  return { addTags: sent.text.tags, removeTags };
}
