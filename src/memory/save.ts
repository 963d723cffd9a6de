import { UserError } from "../errors.ts";
import type { Category, Source } from "../storage/closed-lists.ts";
import type { Claim } from "../storage/memories.ts";
import type { OpenAccount, Caller } from "../storage/open-account.ts";
import { argumentsHash } from "../vault/blind.ts";
import { newId, newOperationId } from "../vault/ids.ts";
import { cleanText, DEFAULT_IMPORTANCE, openMemory, sealLabels, sealMemory } from "./memory.ts";
import type { Memory } from "./memory.ts";
import { findSimilar, type SimilarMemory } from "./similar.ts";
import { retireExpired } from "./update.ts";

export interface SaveDraft {
  readonly content: string;
  readonly tags: readonly string[];
  readonly project?: string | undefined;
  readonly askedAs?: readonly string[] | undefined;
  readonly category?: Category | undefined;
  readonly importance?: number | undefined;
  readonly origin?: "user" | "assistant" | undefined;
  /** Milliseconds UTC. */
  readonly expiresAt?: number | undefined;
  readonly supersedes?: string | undefined;
  readonly idempotency?:
    | {
        readonly key: string;
        /** The arguments as they were sent: a date in words means another moment each time. */
        readonly argumentsAsSent: string;
      }
    | undefined;
  readonly source?: Source | undefined;
}

export interface SaveResult {
  readonly outcome: "created" | "duplicate" | "pending";
  readonly memory: Memory;
  /** Near it in words, most similar first; empty for a duplicate. */
  readonly similar: readonly SimilarMemory[];
  /** Null when nothing changed. */
  readonly operationId: string | null;
}

/** Replays are answered for a day. */
const IDEMPOTENCY_MS = 24 * 3_600_000;

/** @throws UserError invalid_input, too_large, not_found (of `supersedes`), idempotency_conflict */
export async function saveMemory(
  at: OpenAccount,
  draft: SaveDraft,
  caller: Caller,
): Promise<SaveResult> {
  const text = cleanText({
    content: draft.content,
    tags: draft.tags,
    ...(draft.project === undefined ? {} : { project: draft.project }),
    ...(draft.askedAs === undefined ? {} : { askedAs: draft.askedAs }),
  });
  const supersedes = draft.supersedes ?? null;
  const operationId = newOperationId(caller.now);
  const operation = {
    id: operationId,
    grantId: caller.grantId,
    client: caller.client,
    now: caller.now,
  };
  const id = newId();
  const [row, labels, claim] = await Promise.all([
    sealMemory(
      at.keys,
      at.timeZone,
      {
        id,
        version: 1,
        status: "active",
        category: draft.category ?? "other",
        source: draft.source ?? caller.source,
        origin: draft.origin ?? "user",
        grantId: caller.grantId,
        client: caller.client,
        importance: draft.importance ?? DEFAULT_IMPORTANCE,
        originKey: null,
        pathToken: null,
        supersededBy: null,
        createdAt: caller.now,
        updatedAt: caller.now,
        lastUsedAt: caller.now,
        expiresAt: draft.expiresAt ?? null,
        trashedAt: null,
        createdOp: operationId,
        changedOp: operationId,
        trashedOp: null,
      },
      text,
    ),
    sealLabels(at.keys, text),
    draft.idempotency === undefined ? null : claimOf(at, draft.idempotency, caller.now),
  ]);

  const refusal = await refusalOf(at, draft, caller.now);
  if (refusal !== null) {
    // A retry of a save that was accepted gets its answer, whatever has become of what it named.
    const earlier =
      claim === null ? null : await at.memories.claimed(caller.grantId, claim.key, caller.now);
    if (earlier === null) throw refusal;
    if (earlier.argsHash !== claim?.argsHash) throw keyUsedOtherwise();
    return replay(at, earlier.op, row.fingerprint);
  }

  let outcome = await at.memories.create({ row, labels, supersedes, claim }, operation);
  if (
    outcome.outcome === "duplicate" &&
    outcome.expiresAt !== null &&
    outcome.expiresAt <= caller.now
  ) {
    // The twin is no longer living: it makes room, and the text is saved anew.
    await retireExpired(at, outcome.id, caller);
    outcome = await at.memories.create({ row, labels, supersedes, claim }, operation);
  }

  switch (outcome.outcome) {
    case "created": {
      const { tokens } = row;
      return {
        outcome: row.status === "pending" ? "pending" : "created",
        memory: await openMemory(at.keys, row),
        similar: await findSimilar(at, { id, tokens, content: text.content }, caller.now),
        operationId,
      };
    }
    case "duplicate":
      return duplicateOf(at, outcome.id, outcome.changed ? operationId : null);
    case "replay":
      return replay(at, outcome.op, row.fingerprint);
    case "idempotency_conflict":
      throw keyUsedOtherwise();
  }
}

/** What stands against a save, apart from its own text. */
async function refusalOf(
  at: OpenAccount,
  { expiresAt, supersedes }: SaveDraft,
  now: number,
): Promise<UserError | null> {
  if (expiresAt !== undefined && expiresAt <= now) {
    return new UserError(
      "invalid_input",
      "`expires_at` is in the past.",
      "Send a time to come, or leave it out.",
    );
  }
  if (supersedes === undefined) return null;
  const replaced = await at.memories.get(supersedes);
  if (replaced !== null && replaced.status !== "trashed") return null;
  return new UserError(
    "not_found",
    "The memory named in `supersedes` does not exist, or is in the trash.",
    "Find its id with search_memory, or leave `supersedes` out.",
  );
}

function keyUsedOtherwise(): UserError {
  return new UserError(
    "idempotency_conflict",
    "This idempotency_key was used with other arguments.",
    "Send a new idempotency_key, or the same arguments as before.",
  );
}

async function claimOf(
  at: OpenAccount,
  { key, argumentsAsSent }: NonNullable<SaveDraft["idempotency"]>,
  now: number,
): Promise<Claim> {
  const [keyHash, argsHash] = await Promise.all([
    argumentsHash(at.keys, `key\0${key}`),
    argumentsHash(at.keys, argumentsAsSent),
  ]);
  return { key: keyHash, argsHash, expiresAt: now + IDEMPOTENCY_MS };
}

/** @param operationId of the change that the save made all the same: saying "B is replaced by what A says" changes B */
async function duplicateOf(
  at: OpenAccount,
  id: string,
  operationId: string | null,
): Promise<SaveResult> {
  const existing = await at.memories.get(id);
  if (existing === null) throw new Error("A duplicate's row is gone");
  return {
    outcome: "duplicate",
    memory: await openMemory(at.keys, existing),
    similar: [],
    operationId,
  };
}

/** The answer of the first call: a replay is read back from its operation and the row that it made. */
async function replay(at: OpenAccount, op: string, fingerprint: string): Promise<SaveResult> {
  const operation = await at.accounts.operation(op);
  const made = operation?.subject == null ? null : await at.memories.get(operation.subject);
  const row = made ?? (await at.memories.getByFingerprint(fingerprint));
  if (row === null) {
    throw new UserError(
      "not_found",
      "What this idempotency_key saved is no longer there.",
      "Send a new idempotency_key to save it again.",
    );
  }
  return {
    outcome: made === null ? "duplicate" : row.status === "pending" ? "pending" : "created",
    memory: await openMemory(at.keys, row),
    similar: [],
    operationId: operation?.id ?? null,
  };
}
