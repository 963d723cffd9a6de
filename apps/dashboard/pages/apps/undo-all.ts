/** All that one app did since a time: counting it, undoing it, and bringing it back. */
import type { InferResponseType } from "hono/client";
import { answerOf, api } from "../../api.ts";
import type { Operation } from "../../changes/operation-text.ts";

const PAGE = 200;
/** Of operations looked through beforehand, whoever made them: enough for a week of several assistants. Arbitrary. */
const MAX_PAGES = 5;

/** What an undo would look at. */
export interface Writes {
  readonly wrote: Readonly<Partial<Record<Operation["kind"], number>>>;
  readonly count: number;
  /** False: there may be more. */
  readonly isAll: boolean;
}

export async function writesSince(grantId: string, since: string): Promise<Writes> {
  const wrote: Partial<Record<Operation["kind"], number>> = {};
  let count = 0;
  let before: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { operations, next_before: next } = await answerOf(
      api.operations.$get({ query: { limit: PAGE, ...(before === undefined ? {} : { before }) } }),
    );
    for (const operation of operations) {
      // The latest come first.
      if (operation.created_at < since) return { wrote, count, isAll: true };
      if (operation.grant_id !== grantId) continue;
      wrote[operation.kind] = (wrote[operation.kind] ?? 0) + 1;
      count += 1;
    }
    if (next === null) return { wrote, count, isAll: true };
    before = next;
  }
  return { wrote, count, isAll: false };
}

/** What an undo of many operations did. */
export interface UndoneAll {
  readonly undone: { readonly memories: number; readonly conversations: number };
  /** Items that were changed since, and stayed. */
  readonly left: readonly unknown[];
  /** The undos, in their order. */
  readonly operations: readonly string[];
}

/** A request undoes a few, so there are many. @param tell how many operations are done */
export async function undoAll(
  grantId: string,
  since: string,
  tell: (done: number) => void,
): Promise<UndoneAll> {
  let all: UndoneAll = { undone: { memories: 0, conversations: 0 }, left: [], operations: [] };
  let done = 0;
  let before: string | null = null;
  do {
    const answer: UndoAnswer = await answerOf(
      api.undo.$post({
        json: { grant_id: grantId, since, ...(before === null ? {} : { before }) },
      }),
    );
    for (const result of answer.results) {
      // A restored backup, whose way back is the backup before it.
      if ("not_undone" in result) continue;
      const { operation_id: id } = result;
      all = {
        undone: {
          memories: all.undone.memories + result.undone.memories,
          conversations: all.undone.conversations + result.undone.conversations,
        },
        left: [...all.left, ...result.left],
        operations: id === null ? all.operations : [...all.operations, id],
      };
    }
    done += answer.results.length;
    tell(done);
    before = answer.next_before;
  } while (before !== null);
  return all;
}

type UndoAnswer = InferResponseType<typeof api.undo.$post>;

/** The latest first, as the states followed each other. @param operations undos, in their order */
export async function redoAll(operations: readonly string[]): Promise<void> {
  for (const id of operations.toReversed()) {
    await answerOf(api.operations[":id"].undo.$post({ param: { id } }));
  }
}
