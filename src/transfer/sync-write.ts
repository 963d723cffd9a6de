/**
 * Writes items exactly as another side has them, each only if it is still at the version that it was seen at. Sent again, what was written
 * is left alone and answered alike. Everything that one run of a sync writes to a side is one operation, and so is undone.
 */
import { UserError } from "../errors.ts";
import { requireSpace } from "../storage/limits.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { isDayUsedUp, nextDay } from "../storage/plan.ts";
import { contentHash } from "../vault/blind.ts";
import { newOperationId } from "../vault/ids.ts";
import type { BatchLimits } from "./batches.ts";
import { isSpent } from "./import-job.ts";
import { refuseMore } from "./refuse-more.ts";
import { writeConversations } from "./sync-write-conversations.ts";
import { writeMemories } from "./sync-write-memories.ts";
import type {
  SyncBegin,
  SyncStart,
  SyncWrite,
  SyncWritten,
  UnitOutcome,
  UnitResult,
} from "./sync-wire.ts";

/** @param after the last operation that an earlier sync knew @throws UserError forbidden */
export async function beginSync(
  at: OpenAccount,
  { after }: SyncBegin,
  caller: Caller,
): Promise<SyncStart> {
  requireTrust(caller);
  const [last] = await at.operations.list(null, 1);
  return {
    operation_id: newOperationId(caller.now),
    account: await contentHash(at.keys, "sync"),
    last_operation: last?.id ?? null,
    goes_on: after === undefined || (await at.operations.goesOnFrom(after)),
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
  refuseLarger(write, at.plan.batch);
  await requireOwnOperation(at, write.operation_id, caller);
  // What trashes, redacts or shortens passes, or a full side would keep what the other one has got rid of.
  if (bringsMore(write)) requireSpace(at);
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

function bringsMore({ memories, conversations }: SyncWrite): boolean {
  return (
    memories.some(({ expected }) => expected === null) ||
    conversations.some(({ messages }) => messages.length > 0)
  );
}

function requireTrust({ trusted }: Caller): void {
  if (trusted) return;
  throw new UserError(
    "forbidden",
    "A sync writes memories exactly as they are elsewhere, past all rules, which this token may not.",
    "Make a token that is trusted, on the server's page, and use that.",
  );
}

/** @throws UserError too_large */
function refuseLarger({ memories, conversations }: SyncWrite, limits: BatchLimits): void {
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
  refuseMore(limits, {
    memories: sum(memories.map(({ states, redacted }) => states.length + redacted.length)),
    conversations: conversations.length,
    messages: sum(conversations.map(({ messages }) => messages.length)),
  });
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
