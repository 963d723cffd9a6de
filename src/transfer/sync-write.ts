/**
 * Writes items exactly as another side has them, each only if it is still at the version that it was seen at. Sent again, what was written
 * is left alone and answered alike. Everything that one run of a sync writes to a side is one operation, and so is undone.
 */
import { UserError } from "../errors.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { isDayUsedUp, nextDay } from "../storage/plan.ts";
import { contentHash } from "../vault/blind.ts";
import { newOperationId } from "../vault/ids.ts";
import { isSpent } from "./import-job.ts";
import { writeConversations } from "./sync-write-conversations.ts";
import { writeMemories } from "./sync-write-memories.ts";
import type { SyncStart, SyncWrite, SyncWritten, UnitOutcome, UnitResult } from "./sync-wire.ts";

/** @throws UserError forbidden */
export async function beginSync(at: OpenAccount, caller: Caller): Promise<SyncStart> {
  requireTrust(caller);
  return {
    operation_id: newOperationId(caller.now),
    account: await contentHash(at.keys, "sync"),
    limits: at.plan.batch,
  };
}

/** @throws UserError forbidden, invalid_input */
export async function writeUnits(
  at: OpenAccount,
  write: SyncWrite,
  caller: Caller,
): Promise<SyncWritten> {
  requireTrust(caller);
  const { grantId, client, now } = caller;
  await requireOwnOperation(at, write.operation_id, caller);
  if (await isSpent(at, now))
    return { results: [], resume_at: new Date(nextDay(now)).toISOString() };
  const operation = { id: write.operation_id, grantId, client, now };
  try {
    const [memories, conversations] = [
      await writeMemories(at, write.memories, operation),
      await writeConversations(at, write.conversations, operation),
    ];
    return {
      results: [
        ...resultsOf("memory", write.memories, memories),
        ...resultsOf("conversation", write.conversations, conversations),
      ],
    };
  } catch (error) {
    if (!isDayUsedUp(error)) throw error;
    return { results: [], resume_at: new Date(nextDay(now)).toISOString() };
  }
}

function requireTrust({ trusted }: Caller): void {
  if (trusted) return;
  throw new UserError(
    "forbidden",
    "A sync writes memories exactly as they are elsewhere, past all rules, which this token may not.",
    "Make a token that is trusted, on the server's page, and use that.",
  );
}

/** What one run writes is one operation, and no other one's. @throws UserError invalid_input */
async function requireOwnOperation(at: OpenAccount, id: string, { grantId }: Caller) {
  const found = await at.operations.get(id);
  if (found === null || (found.kind === "sync" && found.grantId === grantId)) return;
  throw new UserError(
    "invalid_input",
    "`operation_id` is another operation's.",
    "Send the one that POST /api/sync/begin gave.",
  );
}

function resultsOf(
  kind: UnitResult["kind"],
  units: readonly { readonly id: string }[],
  outcomes: ReadonlyMap<string, UnitOutcome>,
): UnitResult[] {
  return units.map(({ id }) => ({ kind, id, outcome: outcomes.get(id) ?? "changed" }));
}
