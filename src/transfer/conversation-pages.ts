/** Conversations with their messages, page by page: short ones together, a long one over several pages. */
import type { ConversationRow, MessageRow } from "../storage/conversations.ts";
import { ROWS_A_PAGE, type ExportRow, type TimePlace } from "../storage/export-rows.ts";
import type { OpenAccount } from "../storage/open-account.ts";

/** Plain JSON, so that a job can keep it. */
export interface ConversationsCursor {
  /** The last conversation that is written whole. */
  readonly after: TimePlace | null;
  /** The one after it, where it is written in part. */
  readonly open: {
    readonly id: string;
    readonly place: TimePlace;
    /** Of the next message. */
    readonly position: number;
    readonly status: ConversationRow["status"];
  } | null;
}

export interface ConversationPart {
  /** Null: its beginning stands in an earlier page. */
  readonly row: ConversationRow | null;
  readonly status: ConversationRow["status"];
  readonly messages: readonly ExportRow<MessageRow>[];
  readonly isWhole: boolean;
}

export const FIRST_CONVERSATION: ConversationsCursor = { after: null, open: null };

/**
 * Two round trips at most.
 * @param list the conversations beyond a place, none when there are no more
 */
export async function conversationPage(
  at: OpenAccount,
  cursor: ConversationsCursor,
  list: (after: TimePlace | null) => Promise<readonly ConversationRow[]>,
): Promise<{
  readonly parts: readonly ConversationPart[];
  readonly next: ConversationsCursor | null;
}> {
  if (cursor.open !== null) {
    const { id, place, position, status } = cursor.open;
    const { rows, isLast } = await at.exportRows.messages(id, position);
    return {
      parts: [{ row: null, status, messages: rows, isWhole: isLast }],
      next: isLast ? { after: place, open: null } : openAt(cursor, { place, status }, rows.at(-1)),
    };
  }
  const rows = shortOnes(await list(cursor.after));
  const [first] = rows;
  const lastRow = rows.at(-1);
  if (first === undefined || lastRow === undefined) return { parts: [], next: null };
  const page =
    rows.length === 1
      ? await at.exportRows.messages(first.id, 0)
      : await at.exportRows.messagesOfMany(rows.map(({ id }) => id));
  const messages = Map.groupBy(page.rows, ({ conversation }) => conversation);
  const parts = rows.map((row) => ({
    row,
    status: row.status,
    messages: messages.get(row.id) ?? [],
    isWhole: true,
  }));
  const lastMessage = page.rows.at(-1);
  if (page.isLast || lastMessage === undefined) {
    return { parts, next: { after: placeOf(lastRow), open: null } };
  }
  // The page of messages was full: the conversation in which it ends may go on, and those behind it have not begun.
  const cut = parts.findIndex(({ row }) => row.id === lastMessage.conversation);
  const before = rows[cut - 1];
  const last = parts[cut];
  if (last === undefined) throw new Error("A message of a conversation that was not asked for");
  return {
    parts: [...parts.slice(0, cut), { ...last, isWhole: false }],
    next: openAt(
      { after: before === undefined ? cursor.after : placeOf(before), open: null },
      { place: placeOf(last.row), status: last.status },
      lastMessage,
    ),
  };
}

/** The first ones that have together no more messages than a page has rows. At least one. */
function shortOnes(rows: readonly ConversationRow[]): readonly ConversationRow[] {
  let messages = 0;
  const tooMany = rows.findIndex(({ messageCount }) => {
    messages += messageCount;
    return messages > ROWS_A_PAGE;
  });
  return tooMany === -1 ? rows : rows.slice(0, Math.max(1, tooMany));
}

function openAt(
  { after }: ConversationsCursor,
  of: { readonly place: TimePlace; readonly status: ConversationRow["status"] },
  last: ExportRow<MessageRow> | undefined,
): ConversationsCursor {
  if (last === undefined) throw new Error("A page that is not the last holds a row");
  return { after, open: { ...of, id: last.conversation, position: last.position + 1 } };
}

function placeOf({ createdAt, id }: ConversationRow): TimePlace {
  return [createdAt, id];
}
