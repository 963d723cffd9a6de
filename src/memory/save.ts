import { UserError } from "../errors.ts";
import type { Category, Source } from "../storage/closed-lists.ts";
import type { CreateOutcome, SealedMemory } from "../storage/memories.ts";
import { spaceRefusal } from "../storage/limits.ts";
import type { OpenAccount, Caller } from "../storage/open-account.ts";
import { newId, newOperationId } from "../vault/ids.ts";
import { approveMemory } from "./approve.ts";
import { isRoot, rootRefusal } from "./change.ts";
import { createWithinLimit, trashedNote, type NewMemory } from "./create-within-limit.ts";
import { describeFull } from "./limit.ts";
import { cleanText, DEFAULT_IMPORTANCE, openMemory, sealLabels, sealMemory } from "./memory.ts";
import type { MemoryText } from "./memory.ts";
import { ownFingerprint } from "./own-fingerprint.ts";
import { claimOf, keyUsedOtherwise, replay, type IdempotencyKey } from "./replay.ts";
import { checkText, expiryByRule, expiryNote, mustWait, twinNote, waitingNote } from "./rules.ts";
import type { RuleNote } from "./rules.ts";
import type { SavedMemory, SaveResult } from "./saved-memory.ts";
import { findSimilar } from "./similar.ts";
import { retireExpired } from "./trash.ts";

export interface SaveDraft {
  readonly content: string;
  readonly tags: readonly string[];
  readonly project?: string | undefined;
  readonly askedAs?: readonly string[] | undefined;
  readonly category?: Category | undefined;
  readonly importance?: number | undefined;
  readonly origin?: "user" | "assistant" | undefined;
  /** Whether the person asked for it, as the assistant claims. */
  readonly userAsked?: boolean | undefined;
  /** Milliseconds UTC. */
  readonly expiresAt?: number | undefined;
  readonly supersedes?: string | undefined;
  readonly idempotency?: IdempotencyKey | undefined;
  readonly source?: Source | undefined;
}

/** @throws UserError invalid_input, too_large, limit_reached, not_found (of `supersedes`), idempotency_conflict */
export async function saveMemory(
  at: OpenAccount,
  draft: SaveDraft,
  caller: Caller,
): Promise<SaveResult> {
  const checked = await checkText(at.rules, textOf(draft));
  const text = cleanText(checked.text);
  const { category = "other", userAsked = false, supersedes = null } = draft;
  const isWaiting = mustWait(at.rules, { category, userAsked }, caller);
  const expiry = expiryByRule(at.rules, category, caller.now);
  const operationId = newOperationId(caller.now);
  const id = newId();
  const [sealed, labels, claim] = await Promise.all([
    sealMemory(
      at.keys,
      at.timeZone,
      {
        id,
        version: 1,
        status: isWaiting ? "pending" : "active",
        category,
        source: draft.source ?? caller.source,
        origin: draft.origin ?? "user",
        userAsked,
        grantId: caller.grantId,
        client: caller.client,
        importance: draft.importance ?? DEFAULT_IMPORTANCE,
        originKey: null,
        supersededBy: null,
        createdAt: caller.now,
        updatedAt: caller.now,
        lastUsedAt: caller.now,
        expiresAt: draft.expiresAt ?? expiry,
        trashedAt: null,
        createdOp: operationId,
        changedOp: operationId,
        trashedOp: null,
      },
      // What is not approved yet takes nothing out of use: approving it does (`approve.ts`).
      isWaiting && supersedes !== null ? { ...text, supersedes } : text,
    ),
    sealLabels(at.keys, text),
    draft.idempotency === undefined ? null : claimOf(at, draft.idempotency, caller.now),
  ]);

  const refusal = checked.refusal ?? (await refusalOf(at, draft, caller.now));
  if (refusal !== null) {
    // A retry of a save that was accepted gets its answer, whatever has become of what it named and of the rules.
    const earlier =
      claim === null ? null : await at.memories.claimed(caller.grantId, claim.key, caller.now);
    if (earlier === null) throw refusal;
    if (earlier.argsHash !== claim?.argsHash) throw keyUsedOtherwise();
    return replay(at, earlier.op, sealed.fingerprint);
  }

  const input = {
    row: sealed,
    labels,
    claim,
    supersedes: isWaiting ? null : supersedes,
    isBesideTwins: at.rules.deduplication !== "on",
  };
  const { outcome, row, twin } = await create(at, { input, text, operationId }, caller);
  const expires = draft.expiresAt === undefined && expiry !== null;
  switch (outcome.outcome) {
    case "created":
      return {
        outcome: isWaiting ? "pending" : "created",
        memory: await openMemory(at.keys, row),
        similar:
          at.rules.deduplication === "off"
            ? []
            : await findSimilar(at, { id, content: text.content }, caller.now),
        operationId,
        rules: [
          ...(isWaiting ? [waitingNote(at.rules)] : []),
          ...(expires ? [expiryNote(at.rules, category)] : []),
          ...checked.notes,
          ...(twin === null || at.rules.deduplication === "off" ? [] : [twinNote(twin)]),
          ...(outcome.trashed === null ? [] : [await trashedNote(at, outcome.trashed)]),
        ],
      };
    case "duplicate": {
      const met = { id: outcome.id, operationId: outcome.changed ? operationId : null };
      const found = await duplicateOf(at, met, { userAsked, caller });
      const kept = isWaiting && supersedes !== null ? [notSupersededNote(supersedes)] : [];
      return { ...found, rules: [...found.rules, ...checked.notes, ...kept] };
    }
    case "full":
      return describeFull(at, caller.now);
    case "no_place":
      throw new Error("A memory that is no file had no place");
    case "replay":
      return replay(at, outcome.op, sealed.fingerprint);
    case "idempotency_conflict":
      throw keyUsedOtherwise();
  }
}

function textOf({ content, tags, project, askedAs }: SaveDraft): MemoryText {
  return {
    content,
    tags,
    ...(project === undefined ? {} : { project }),
    ...(askedAs === undefined ? {} : { askedAs }),
  };
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
  const full = spaceRefusal(at);
  if (full !== null || supersedes === undefined) return full;
  const replaced = await at.memories.get(supersedes);
  if (replaced !== null && replaced.status !== "trashed") {
    return (await isRoot(at, replaced)) ? rootRefusal() : null;
  }
  return new UserError(
    "not_found",
    "The memory named in `supersedes` does not exist, or is in the trash.",
    "Find its id with search_memory, or leave `supersedes` out.",
  );
}

interface Created {
  readonly outcome: CreateOutcome;
  /** As it was written. */
  readonly row: SealedMemory;
  /** Id of a memory that says the same, where both are kept. */
  readonly twin: string | null;
}

/** Writes the row as the rules about equal texts have it. */
async function create(
  at: OpenAccount,
  {
    input,
    text,
    operationId,
  }: {
    readonly input: NewMemory;
    readonly text: MemoryText;
    readonly operationId: string;
  },
  caller: Caller,
): Promise<Created> {
  const { deduplication } = at.rules;
  const attempt = (row: SealedMemory) =>
    createWithinLimit(at, { ...input, row }, operationId, caller);
  const asTwin = async () => ({
    ...input.row,
    fingerprint: await ownFingerprint(at.keys, text, input.row.id),
  });

  const known =
    deduplication === "on" ? null : await at.memories.getByFingerprint(input.row.fingerprint);
  let twin = known?.id ?? null;
  let row = twin === null ? input.row : await asTwin();
  let outcome = await attempt(row);
  if (outcome.outcome === "duplicate" && deduplication !== "on") {
    // A parallel save of the same text was faster.
    twin = outcome.id;
    row = await asTwin();
    outcome = await attempt(row);
  }
  if (
    outcome.outcome === "duplicate" &&
    outcome.expiresAt !== null &&
    outcome.expiresAt <= caller.now
  ) {
    // The twin is no longer living: it makes room, and the text is saved anew.
    await retireExpired(at, outcome.id, caller);
    outcome = await attempt(row);
  }
  return { outcome, row, twin };
}

/** A save that the person asked for takes a waiting memory of the same text into use: otherwise it would stay hidden. */
async function duplicateOf(
  at: OpenAccount,
  met: {
    readonly id: string;
    /** Of the change that the save made all the same: saying "B is replaced by what A says" changes B. */
    readonly operationId: string | null;
  },
  { userAsked, caller }: { readonly userAsked: boolean; readonly caller: Caller },
): Promise<SavedMemory> {
  const existing = await at.memories.get(met.id);
  if (existing === null) throw new Error("A duplicate's row is gone");
  // That the category needs no approval now says nothing of why it waits: only the person's word takes it into use.
  if (existing.status !== "pending" || !(userAsked || caller.trusted)) {
    return {
      outcome: "duplicate",
      memory: await openMemory(at.keys, existing),
      similar: [],
      operationId: met.operationId,
      rules: existing.status === "pending" ? [waitingNote(at.rules)] : [],
    };
  }
  const { memory, operationId } = await approveMemory(at, existing, userAsked, caller);
  return { outcome: "duplicate", memory, similar: [], operationId, rules: [APPROVED] };
}

const APPROVED: RuleNote = {
  rule: "auto_save",
  action: "approved",
  message:
    "It was waiting for the user's approval; this save needs none, so it is in use from now on.",
};

function notSupersededNote(id: string): RuleNote {
  return {
    rule: "auto_save",
    action: "not_superseded",
    message: `${id} was left as it is, because only the user may decide what replaces it; if they asked for it, save again with user_asked.`,
  };
}
