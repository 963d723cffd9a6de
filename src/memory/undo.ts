/**
 * Undoing an operation: what it replaced comes back as a new version, what it made goes to the trash. What was changed since is left
 * as it is and reported. Undoing an undo is the same thing.
 */
import { UserError } from "../errors.ts";
import { packed } from "../storage/batch.ts";
import type { OpenAccount, Caller } from "../storage/open-account.ts";
import {
  countsOf,
  isArchiveRestore,
  type OperationRow,
  type TouchedMemory,
  type UndoBatch,
  type UndoItem,
} from "../storage/operations.ts";
import { restoreCountsOf } from "../transfer/restore-backup.ts";
import { operationOf } from "./change.ts";
import { labelChanges, openText, rootsToken } from "./memory.ts";

export interface UndoResult {
  /** Null when nothing was changed. */
  readonly operationId: string | null;
  readonly undone: { readonly memories: number; readonly conversations: number };
  readonly left: readonly LeftItem[];
  /** What it touched and the trash was emptied of since: nothing brings that back. */
  readonly purged: { readonly memories: number; readonly conversations: number };
  /** It was the restore of an archive, and there are rules of the person's own, which stay as they are. */
  readonly keepsRules: boolean;
}

export interface LeftItem {
  readonly kind: "memory" | "conversation";
  readonly id: string;
  /**
   * `changed_since`: by another operation, and not brought back since. `duplicate`: a living memory says the same by now, or has the
   * same path. `redacted`: the earlier text was taken out for good.
   */
  readonly reason: "changed_since" | "duplicate" | "redacted";
}

/** In one batch: 0.6 s on a busy machine with two cores. So an undo of 1,500 fits the free plan's 50 statements. */
export const MEMORIES_AT_ONCE = 1_000;
/** Their messages are read, some ten each: 0.2 s, or 3 s where each got new ones. Undoing an import of 6,000 takes 44 of the free plan's 50 statements. */
const CONVERSATIONS_AT_ONCE = 2_000;
/** Undos of undos that are followed; arbitrary. */
const MAX_STEPS = 100;

/** @throws UserError not_found */
export function undoOperation(at: OpenAccount, id: string, caller: Caller): Promise<UndoResult> {
  // An import that runs meanwhile would add to what is being undone.
  return at.oneAtATime(() => undoNow(at, id, caller));
}

async function undoNow(at: OpenAccount, id: string, caller: Caller): Promise<UndoResult> {
  const undone = await at.operations.get(id);
  if (undone === null) {
    throw new UserError(
      "not_found",
      "There is no operation with this id.",
      "It stands in the answer to the change, in an import's report, and under History on Cofio's pages (GET /api/operations).",
    );
  }
  const restored = await restoredBackup(at, undone);
  if (restored !== null) throw wayBackFrom(restored);
  const left: LeftItem[] = [];
  const leaving: UndoItem[] = [];
  const returning: UndoItem[] = [];
  const memories = await at.operations.touchedMemories(undone);
  const isMemoryAsItWas = await openCheck(at, "memory", memories);
  for (const memory of memories) {
    if (memory.earlier?.isRedacted === true) {
      left.push({ kind: "memory", id: memory.id, reason: "redacted" });
    } else if (!(await isMemoryAsItWas(memory))) {
      left.push({ kind: "memory", id: memory.id, reason: "changed_since" });
    } else if (memory.earlier?.isLiving === true) {
      returning.push(await itemOf(at, memory));
    } else {
      leaving.push(await itemOf(at, memory));
    }
  }
  const roots = await rootsToken(at.keys);
  const rootIds = new Set((await at.memoryFiles.versionsUnder(roots)).map(({ id: root }) => root));
  // What stands for a store goes with the last of its files.
  leaving.sort((a, b) => Number(rootIds.has(a.id)) - Number(rootIds.has(b.id)));
  if (await leavesFiles(at, returning, rootIds)) {
    const stay = returning.splice(0);
    left.push(...stay.map((item) => changedSince(item)));
  }
  const conversations: UndoItem[] = [];
  const touched = await at.operations.touchedConversations(undone);
  const isConversationAsItWas = await openCheck(at, "conversation", touched);
  for (const conversation of touched) {
    const { id: conversationId, version, earlierVersion } = conversation;
    if (await isConversationAsItWas(conversation)) {
      conversations.push({ id: conversationId, version, earlier: earlierVersion });
    } else {
      left.push({ kind: "conversation", id: conversationId, reason: "changed_since" });
    }
  }

  if (undone.kind === "import") await at.jobs.revokeImport(undone.id);
  const operation = operationOf(caller);
  const counts = { memories: 0, conversations: 0 };
  for (const batch of batchesOf({ leaving, returning, conversations })) {
    const done = await at.operations.bringBack(
      batch,
      { kind: "undo", undoes: undone.id, roots, before: counts },
      operation,
    );
    const isDone = ({ id: itemId }: UndoItem) => done.has(itemId);
    counts.memories += [...batch.leaving, ...batch.returning].filter(isDone).length;
    counts.conversations += batch.conversations.filter(isDone).length;
    const missed = (
      kind: LeftItem["kind"],
      items: readonly UndoItem[],
      reason: LeftItem["reason"],
    ) => items.filter((item) => !isDone(item)).map((item) => ({ kind, id: item.id, reason }));
    left.push(
      ...missed("memory", batch.leaving, "changed_since"),
      ...missed("memory", batch.returning, "duplicate"),
      ...missed("conversation", batch.conversations, "changed_since"),
    );
  }
  const isChanged = counts.memories + counts.conversations > 0;
  const { purged_memories = 0, purged_conversations = 0 } = countsOf(undone);
  return {
    operationId: isChanged ? operation.id : null,
    undone: counts,
    left,
    purged: { memories: purged_memories, conversations: purged_conversations },
    keepsRules: isArchiveRestore(undone) && Object.keys(at.ruleSources.own).length > 0,
  };
}

/** What the restore of a backup took away no version remembers: the backup made before it does. */
export interface RestoredBackup {
  /** Id. Null: it is kept no longer. */
  readonly backupBefore: string | null;
}

/** Null: the operation restored none. */
export async function restoredBackup(
  at: OpenAccount,
  { kind, subject }: OperationRow,
): Promise<RestoredBackup | null> {
  if (kind !== "restore" || subject === null) return null;
  const restore = await at.backups.get("restore", subject);
  if (restore === null) return null;
  const { safety } = restoreCountsOf(restore);
  const before = safety === undefined ? null : await at.backups.get("backup", safety);
  return { backupBefore: before?.state === "finished" ? before.id : null };
}

function wayBackFrom({ backupBefore }: RestoredBackup): UserError {
  const message = "Restoring a backup cannot be undone.";
  return backupBefore === null
    ? new UserError(
        "invalid_input",
        message,
        "The backup that was made before it is kept no longer. GET /api/backups lists those that there are.",
      )
    : new UserError(
        "invalid_input",
        message,
        `Restore the backup that was made before it: POST /api/backups/${backupBefore}/restore.`,
        { backup_before: backupBefore },
      );
}

type TouchedItem = Pick<TouchedMemory, "id" | "changedOp" | "leftBy">;

/** Tells whether an item is as the operation left it: nobody changed it since, or what was changed since has been undone. */
async function openCheck(
  at: OpenAccount,
  kind: LeftItem["kind"],
  items: readonly TouchedItem[],
): Promise<(item: TouchedItem) => Promise<boolean>> {
  const changed = items.filter(({ changedOp, leftBy }) => changedOp !== leftBy).map(({ id }) => id);
  const changes = await at.operations.changesOf(kind, changed);
  // Many items were changed by the same few operations.
  const undoes = new Map<string, string | null>();
  const undoneBy = async (op: string): Promise<string | null> => {
    const known = undoes.get(op);
    if (known !== undefined) return known;
    const undoesOp = (await at.operations.get(op))?.undoesOp ?? null;
    undoes.set(op, undoesOp);
    return undoesOp;
  };
  return async ({ id, changedOp, leftBy: wanted }) => {
    let op: string | undefined = changedOp;
    for (let step = 0; op !== undefined && op !== wanted && step < MAX_STEPS; step++) {
      const undoesOp: string | null = await undoneBy(op);
      // Brought back by an undo: it is what stood there before the operation that was undone.
      op = undoesOp === null ? undefined : changes.get(`${id} ${undoesOp}`);
    }
    return op === wanted;
  };
}

/** Whether a store would get its earlier name back without files that it got since. */
async function leavesFiles(
  at: OpenAccount,
  returning: readonly UndoItem[],
  rootIds: ReadonlySet<string>,
): Promise<boolean> {
  const ids = new Set(returning.map(({ id }) => id));
  for (const { id, labels } of returning) {
    if (!rootIds.has(id) || labels === undefined || labels.drop.length === 0) continue;
    const place = (await at.memories.get(id))?.pathToken ?? "";
    const files = await at.memoryFiles.versionsUnder(place);
    if (files.some((file) => !ids.has(file.id))) return true;
  }
  return false;
}

function changedSince({ id }: UndoItem): LeftItem {
  return { kind: "memory", id, reason: "changed_since" };
}

async function itemOf(at: OpenAccount, memory: TouchedMemory): Promise<UndoItem> {
  const { id, version, bodyVersion, earlier } = memory;
  const item = { id, version, earlier: earlier?.version ?? null };
  if (earlier === null || earlier.bodyVersion === bodyVersion) return item;
  const [now, before] = await Promise.all([
    at.memories.get(id),
    at.memories.version(id, earlier.version),
  ]);
  if (now === null || before === null) return item;
  const [has, gets] = await Promise.all([openText(at.keys, now), openText(at.keys, before)]);
  return { ...item, labels: await labelChanges(at.keys, has, gets) };
}

/** What leaves goes first, so that its text is free for what comes back. */
function batchesOf({ leaving, returning, conversations }: UndoBatch): UndoBatch[] {
  const isFew =
    memoryChunks([...leaving, ...returning]).length <= 1 &&
    conversations.length <= CONVERSATIONS_AT_ONCE;
  if (isFew) return [{ leaving, returning, conversations }];
  const none = { leaving: [], returning: [], conversations: [] };
  return [
    ...memoryChunks(leaving).map((items) => ({ ...none, leaving: items })),
    ...memoryChunks(returning).map((items) => ({ ...none, returning: items })),
    ...chunksOf(conversations, CONVERSATIONS_AT_ONCE).map((items) => ({
      ...none,
      conversations: items,
    })),
  ];
}

/** Names of tags travel with some of them. */
function memoryChunks(items: readonly UndoItem[]): UndoItem[][] {
  return packed(items, (item) => JSON.stringify(item).length + 1).flatMap((part) =>
    chunksOf(part, MEMORIES_AT_ONCE),
  );
}

export function chunksOf(items: readonly UndoItem[], size: number): UndoItem[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  );
}
