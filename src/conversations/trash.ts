/** Conversations into the trash and out of it again, one or many. Each is one operation, and one row of each conversation. */
import { UserError } from "../errors.ts";
import { operationOf } from "../memory/change.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import type { UndoItem } from "../storage/operations.ts";

export interface TrashResult {
  /** Null when nothing was changed. */
  readonly operationId: string | null;
  /** Ids of those that were moved. */
  readonly moved: readonly string[];
  /** Ids of those that were there already. */
  readonly unchanged: readonly string[];
  readonly notFound: readonly string[];
}

/** One batch. Arbitrary: what a person ticks in a list. */
export const MAX_CONVERSATIONS = 64;

/** Of an id that is not there it says so. `ids`: at most MAX_CONVERSATIONS. */
export function deleteConversations(
  at: OpenAccount,
  ids: readonly string[],
  caller: Caller,
): Promise<TrashResult> {
  // An import that runs meanwhile would add to what is being deleted.
  return at.oneAtATime(async () => {
    const rows = await at.conversations.getMany(ids);
    const items = rows
      .filter(({ status }) => status !== "trashed")
      .map(({ id, version }) => ({ id, version, earlier: null }));
    return move(at, { kind: "delete", items, known: rows.map(({ id }) => id), ids }, caller);
  });
}

/** As they were when they went there. Of an id that is unknown, or that the trash was emptied of, it says so. `ids`: at most MAX_CONVERSATIONS. */
export function restoreConversations(
  at: OpenAccount,
  ids: readonly string[],
  caller: Caller,
): Promise<TrashResult> {
  return at.oneAtATime(async () => {
    const rows = await at.conversations.getMany(ids);
    const items = await at.operations.conversationsBeforeTrash(ids);
    const restorable = new Set(items.map(({ id }) => id));
    const known = rows
      .filter(({ id, status }) => status !== "trashed" || restorable.has(id))
      .map(({ id }) => id);
    return move(at, { kind: "restore", items, known, ids }, caller);
  });
}

export function noConversation(): UserError {
  return new UserError(
    "not_found",
    "There is no conversation with this id.",
    "Find ids with search_conversations or list_conversations, deleted ones under History on Cofio's pages (GET /api/operations).",
  );
}

async function move(
  at: OpenAccount,
  {
    kind,
    items,
    known,
    ids,
  }: {
    readonly kind: "delete" | "restore";
    readonly items: readonly UndoItem[];
    readonly known: readonly string[];
    readonly ids: readonly string[];
  },
  caller: Caller,
): Promise<TrashResult> {
  const operation = operationOf(caller);
  const moved =
    items.length === 0
      ? new Set<string>()
      : await at.operations.bringBack(
          { leaving: [], returning: [], conversations: items },
          { kind, undoes: null, before: {} },
          operation,
        );
  const found = new Set(known);
  return {
    operationId: moved.size > 0 ? operation.id : null,
    moved: [...moved],
    unchanged: known.filter((id) => !moved.has(id)),
    notFound: ids.filter((id) => !found.has(id)),
  };
}
