import { estimateTokens, takeWithinBudget } from "../search/token-budget.ts";
import type { Source } from "../storage/closed-lists.ts";
import type { ConversationPlace } from "../storage/conversations.ts";
import type { MemoryStatus } from "../storage/schema.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { openListing, type PagedRequest } from "../vault/cursor.ts";
import { openConversation, type Conversation } from "./conversation.ts";

export interface ConversationListRequest extends PagedRequest {
  readonly source?: Source | undefined;
  /** Not given: those in use. */
  readonly status?: MemoryStatus | undefined;
  readonly order: "newest" | "oldest";
}

export interface ConversationListPage {
  readonly conversations: readonly Conversation[];
  readonly total: number;
  readonly nextCursor: string | null;
}

/** @throws UserError invalid_input (cursor) */
export async function listConversations(
  at: OpenAccount,
  request: ConversationListRequest,
): Promise<ConversationListPage> {
  const { limit, maxTokens, source, status = "active" } = request;
  const listing = await openListing<ConversationPlace>(at.keys, "conversations", request);
  const { rows, total } = await at.conversations.list(
    { ...(source === undefined ? {} : { source }), ...listing.dates, status },
    request.order,
    { from: listing.place, limit: limit + 1 },
  );
  const opened = await Promise.all(
    rows.slice(0, limit).map((row) => openConversation(at.keys, row)),
  );
  const page = takeWithinBudget(opened, maxTokens, ({ title }) => 50 + estimateTokens(title));
  const last = page.at(-1);
  return {
    conversations: page,
    total,
    nextCursor:
      rows.length > page.length && last !== undefined
        ? await listing.cursorAt([last.updatedAt, last.id])
        : null,
  };
}
