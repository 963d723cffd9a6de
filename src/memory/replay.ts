/** Idempotency of saves: a key that was used is answered from the operation and the row that it made. */
import { UserError } from "../errors.ts";
import type { Claim } from "../storage/memories.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { argumentsHash } from "../vault/blind.ts";
import { openMemory } from "./memory.ts";
import { waitingNote } from "./rules.ts";
import type { SavedMemory } from "./saved-memory.ts";

export interface IdempotencyKey {
  readonly key: string;
  /** The arguments as they were sent: a date in words means another moment each time. */
  readonly argumentsAsSent: string;
}

/** Replays are answered for a day. */
const IDEMPOTENCY_MS = 24 * 3_600_000;

export async function claimOf(
  at: OpenAccount,
  { key, argumentsAsSent }: IdempotencyKey,
  now: number,
): Promise<Claim> {
  const [keyHash, argsHash] = await Promise.all([
    argumentsHash(at.keys, `key\0${key}`),
    argumentsHash(at.keys, argumentsAsSent),
  ]);
  return { key: keyHash, argsHash, expiresAt: now + IDEMPOTENCY_MS };
}

/** The answer of the first call. @param print fingerprint of the text, for a call that met a duplicate */
export async function replay(at: OpenAccount, op: string, print: string): Promise<SavedMemory> {
  const operation = await at.operations.get(op);
  const made = operation?.subject == null ? null : await at.memories.get(operation.subject);
  const row = made ?? (await at.memories.getByFingerprint(print));
  if (row === null) {
    throw new UserError(
      "not_found",
      "What this idempotency_key saved is no longer there.",
      "Send a new idempotency_key to save it again.",
    );
  }
  const isWaiting = made !== null && row.status === "pending";
  return {
    outcome: made === null ? "duplicate" : isWaiting ? "pending" : "created",
    memory: await openMemory(at.keys, row),
    similar: [],
    operationId: operation?.id ?? null,
    rules: isWaiting ? [waitingNote(at.rules)] : [],
  };
}

export function keyUsedOtherwise(): UserError {
  return new UserError(
    "idempotency_conflict",
    "This idempotency_key was used with other arguments.",
    "Send a new idempotency_key, or the same arguments as before.",
  );
}
