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

/** As it was when it went there. @throws UserError not_found: unknown, or the trash was emptied of it */
export function restoreConversation(
  at: OpenAccount,
  id: string,
  caller: Caller,
): Promise<TrashResult> {
  return at.oneAtATime(async () => {
    const row = await at.conversations.get(id);
    const items = await at.operations.conversationsBeforeTrash([id]);
    if (row === null || (row.status === "trashed" && items.length === 0)) throw noConversation();
    return move(at, { kind: "restore", items, known: [id], ids: [id] }, caller);
  });
}

export function noConversation(): UserError {
  return new UserError(
    "not_found",
    "There is no conversation with this id.",
    "Find ids with search_conversations or list_conversations, deleted ones in the list of operations.",
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
          { kind, undoes: null },
          operation,
        );
  if (moved.size > 0) await at.operations.finish(operation.id, { conversations: moved.size });
  const found = new Set(known);
  return {
    operationId: moved.size > 0 ? operation.id : null,
    moved: [...moved],
    unchanged: known.filter((id) => !moved.has(id)),
    notFound: ids.filter((id) => !found.has(id)),
  };
}
