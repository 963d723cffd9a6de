import { takeWithinBudget, estimateTokens } from "../search/token-budget.ts";
import type { MemoryOrder, MemoryPlace, MemoryRow } from "../storage/memories.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import type { MemoryStatus } from "../storage/schema.ts";
import { openListing, type PagedRequest } from "../vault/cursor.ts";
import { resolveFilter, type MemoryFilterNames } from "./filter.ts";
import { openMemory, type Memory } from "./memory.ts";

export interface ListRequest extends MemoryFilterNames, PagedRequest {
  readonly status: MemoryStatus;
  readonly order: MemoryOrder;
}

export interface MemoryPage {
  readonly memories: readonly Memory[];
  readonly total: number;
  readonly nextCursor: string | null;
}

/** Superseded and expired memories are listed too: a listing shows what is there. @throws UserError invalid_input (cursor) */
export async function listMemories(at: OpenAccount, request: ListRequest): Promise<MemoryPage> {
  const { limit, maxTokens } = request;
  const listing = await openListing<MemoryPlace>(at.keys, "list", request);
  const filter = await resolveFilter(at.keys, { ...request, ...listing.dates }, request.status);
  const { rows, total } = await at.memories.list(filter, request.order, {
    from: listing.place,
    limit: limit + 1,
  });
  const opened = await Promise.all(
    rows.slice(0, limit).map(async (row) => ({ row, memory: await openMemory(at.keys, row) })),
  );
  const page = takeWithinBudget(opened, maxTokens, ({ memory }) => costOf(memory));
  const last = page.at(-1);
  const hasMore = rows.length > page.length;
  return {
    memories: page.map(({ memory }) => memory),
    total,
    nextCursor:
      hasMore && last !== undefined
        ? await listing.cursorAt(placeOf(last.row, request.order))
        : null,
  };
}

function placeOf(row: MemoryRow, order: MemoryOrder): MemoryPlace {
  switch (order) {
    case "newest":
    case "oldest":
      return [row.createdAt, row.id];
    case "updated":
      return [row.updatedAt, row.id];
    case "important":
      return [row.importance, row.createdAt, row.id];
  }
}

function costOf({ content, tags, project }: Memory): number {
  return 60 + estimateTokens(content) + estimateTokens([...tags, project ?? ""].join(" "));
}
