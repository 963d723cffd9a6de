import { estimateTokens, takeWithinBudget } from "../search/token-budget.ts";
import type { ConversationFilter, ConversationPlace } from "../storage/conversations.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { makeCursor, readCursor } from "../vault/cursor.ts";
import { openConversation, type Conversation } from "./conversation.ts";

export interface ConversationListRequest extends ConversationFilter {
  readonly order: "newest" | "oldest";
  readonly limit: number;
  readonly maxTokens: number;
  readonly cursor?: string | undefined;
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
  const { cursor, limit, maxTokens, ...asked } = request;
  const query = JSON.stringify(["conversations", asked]);
  const from =
    cursor === undefined ? null : await readCursor<ConversationPlace>(at.keys, query, cursor);
  const { rows, total } = await at.conversations.list(
    { ...request, status: "active" },
    request.order,
    { from, limit: limit + 1 },
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
        ? await makeCursor(at.keys, query, [last.updatedAt, last.id])
        : null,
  };
}
