/** Conversations and messages of one user. Messages share the status of their conversation. */
import {
  and,
  asc,
  desc,
  eq,
  getTableColumns,
  gt,
  gte,
  inArray,
  lt,
  or,
  sql,
  type SQL,
} from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Role, Source } from "./closed-lists.ts";
import { holdsNoneOf } from "./full-text.ts";
import { conversations, messages, type MemoryStatus } from "./schema.ts";
import { isBeingPurged } from "./sums.ts";

/** Rows as they are read: `body` is the ciphertext in hex. */
export type ConversationRow = Omit<typeof conversations.$inferSelect, "body"> & {
  readonly body: string;
};
export type MessageRow = Omit<typeof messages.$inferSelect, "body"> & { readonly body: string };

export interface ConversationFilter {
  readonly source?: Source;
  /** Milliseconds UTC; `after` inclusive, `before` exclusive; about the last change. */
  readonly after?: number;
  readonly before?: number;
}

export interface MessageFilter extends ConversationFilter {
  readonly conversation?: string;
  readonly role?: Role;
  /** Blind tokens of who speaks. */
  readonly speaker?: readonly string[];
  /** Its text holds all blind tokens of none of these. */
  readonly without?: readonly (readonly string[])[];
}

/** Place of the last row of a page: its time and id. */
export type ConversationPlace = readonly [time: number, id: string];

export interface MessagePlace {
  readonly conversation: string;
  readonly position: number;
}

/** Stands before the conversation's id in a message that an undo took out of it, and is in no id: nothing finds it there but another undo or the same file. */
export const REMOVED_FROM = "~";

/** Whether messages `row` are such. */
export function isRemoved(row: string): string {
  return `${row}.conversation LIKE '${REMOVED_FROM}%'`;
}

/** Messages share the status of their conversation. */
export const OF_ACTIVE_CONVERSATION = and(
  eq(conversations.userId, messages.userId),
  eq(conversations.id, messages.conversation),
  eq(conversations.status, "active"),
);

/** On messages joined with their conversation. */
export function messageConditions(userId: string, filter: MessageFilter): (SQL | undefined)[] {
  const time = sql`coalesce(${messages.createdAt}, ${conversations.updatedAt})`;
  return [
    eq(messages.userId, userId),
    filter.conversation === undefined ? undefined : eq(messages.conversation, filter.conversation),
    filter.role === undefined ? undefined : eq(messages.role, filter.role),
    ...(filter.speaker ?? []).map((token) => sql`instr(${messages.speaker}, ${token})`),
    filter.without === undefined || filter.without.length === 0
      ? undefined
      : holdsNoneOf(messages.tokens, filter.without),
    filter.source === undefined ? undefined : eq(conversations.source, filter.source),
    filter.after === undefined ? undefined : sql`${time} >= ${filter.after}`,
    filter.before === undefined ? undefined : sql`${time} < ${filter.before}`,
  ];
}

export type ConversationStore = ReturnType<typeof openConversations>;

export function openConversations(d1: D1Database, userId: string) {
  const db = drizzle(d1);
  const conversationRow = {
    ...getTableColumns(conversations),
    body: sql<string>`hex(${conversations.body})`,
  };
  const messageRow = { ...getTableColumns(messages), body: sql<string>`hex(${messages.body})` };

  function getMany(ids: readonly string[]) {
    return db
      .select(conversationRow)
      .from(conversations)
      .where(and(eq(conversations.userId, userId), inArray(conversations.id, [...ids])));
  }

  function messagesAt(places: readonly MessagePlace[]) {
    const asked = JSON.stringify(
      places.map(({ conversation, position }) => [conversation, position]),
    );
    return db
      .select(messageRow)
      .from(sql`json_each(${asked}) j`)
      .crossJoin(messages)
      .where(
        and(
          eq(messages.userId, userId),
          sql`${messages.conversation} = j.value->>0`,
          sql`${messages.position} = j.value->>1`,
        ),
      );
  }

  return {
    async get(id: string): Promise<ConversationRow | null> {
      const [found] = await db
        .select(conversationRow)
        .from(conversations)
        .where(and(eq(conversations.userId, userId), eq(conversations.id, id)));
      return found ?? null;
    },

    /** In no particular order; unknown ids are absent. `ids`: at most 64. */
    getMany,

    /** Latest change first (or last). */
    async list(
      filter: ConversationFilter & { readonly status: MemoryStatus },
      order: "newest" | "oldest",
      page: { readonly from: ConversationPlace | null; readonly limit: number },
    ): Promise<{ rows: ConversationRow[]; total: number }> {
      const conditions = [
        eq(conversations.userId, userId),
        eq(conversations.status, filter.status),
        // Nothing brings those back.
        filter.status === "trashed" ? sql.raw(`NOT ${isBeingPurged("conversations")}`) : undefined,
        filter.source === undefined ? undefined : eq(conversations.source, filter.source),
        filter.after === undefined ? undefined : gte(conversations.updatedAt, filter.after),
        filter.before === undefined ? undefined : lt(conversations.updatedAt, filter.before),
      ];
      const [direction, next] = order === "newest" ? [desc, lt] : [asc, gt];
      const { updatedAt, id } = conversations;
      const place =
        page.from === null
          ? undefined
          : or(
              next(updatedAt, page.from[0]),
              and(eq(updatedAt, page.from[0]), next(id, page.from[1])),
            );
      const [rows, [counted]] = await db.batch([
        db
          .select(conversationRow)
          .from(conversations)
          .where(and(...conditions, place))
          .orderBy(direction(updatedAt), direction(id))
          .limit(page.limit),
        db
          .select({ total: sql<number>`count(*)` })
          .from(conversations)
          .where(and(...conditions)),
      ]);
      return { rows, total: counted?.total ?? 0 };
    },

    /** Messages of one conversation from a position on, in order (or backwards). */
    async messages(
      conversation: string,
      from: { readonly position: number; readonly order: "asc" | "desc"; readonly limit: number },
    ): Promise<MessageRow[]> {
      const ascending = from.order === "asc";
      return db
        .select(messageRow)
        .from(messages)
        .where(
          and(
            eq(messages.userId, userId),
            eq(messages.conversation, conversation),
            ascending
              ? gte(messages.position, from.position)
              : sql`${messages.position} <= ${from.position}`,
          ),
        )
        .orderBy(ascending ? asc(messages.position) : desc(messages.position))
        .limit(from.limit);
    },

    /** All messages of several short conversations, in order. `ids`: at most 64. */
    async messagesOfMany(ids: readonly string[]): Promise<MessageRow[]> {
      return db
        .select(messageRow)
        .from(messages)
        .where(and(eq(messages.userId, userId), inArray(messages.conversation, [...ids])))
        .orderBy(asc(messages.conversation), asc(messages.position));
    },

    /** Null: no such message in this conversation. */
    async positionOf(conversation: string, messageId: string): Promise<number | null> {
      const [found] = await db
        .select({ position: messages.position })
        .from(messages)
        .where(
          and(
            eq(messages.userId, userId),
            eq(messages.conversation, conversation),
            eq(messages.id, messageId),
          ),
        );
      return found?.position ?? null;
    },

    /** Behind the last message: an undo may have left places before it without one. */
    async endOf(conversation: string): Promise<number> {
      const [found] = await db
        .select({ last: sql<number | null>`max(${messages.position})` })
        .from(messages)
        .where(and(eq(messages.userId, userId), eq(messages.conversation, conversation)));
      return (found?.last ?? -1) + 1;
    },

    /** In no particular order; where none stands it is absent. */
    messagesAt,

    /** Conversations, and messages at places, as `getMany` and `messagesAt`. One round trip. */
    async read(
      ids: readonly string[],
      places: readonly MessagePlace[],
    ): Promise<{ conversations: ConversationRow[]; messages: MessageRow[] }> {
      const [found, messagesThere] = await db.batch([getMany(ids), messagesAt(places)]);
      return { conversations: found, messages: messagesThere };
    },

    /** The first message of the latest conversations: what an empty search shows. */
    async openings(filter: MessageFilter, limit: number): Promise<MessagePlace[]> {
      return db
        .select({ conversation: messages.conversation, position: messages.position })
        .from(conversations)
        .innerJoin(messages, OF_ACTIVE_CONVERSATION)
        .where(
          and(
            eq(conversations.userId, userId),
            eq(messages.position, 0),
            ...messageConditions(userId, filter),
          ),
        )
        .orderBy(desc(conversations.updatedAt), desc(conversations.id))
        .limit(limit);
    },

    /** How many conversations of each platform are active. */
    async tally(): Promise<{ name: Source; count: number }[]> {
      return db
        .select({ name: conversations.source, count: sql<number>`count(*)` })
        .from(conversations)
        .where(and(eq(conversations.userId, userId), eq(conversations.status, "active")))
        .groupBy(conversations.source);
    },
  };
}
