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
import type { SearchStatistics } from "../search/candidates.ts";
import { readStatistics } from "./full-text.ts";
import { conversations, messages, type MemoryStatus } from "./schema.ts";

/** Rows as they are read: `body` is the ciphertext in hex. */
export type ConversationRow = Omit<typeof conversations.$inferSelect, "body"> & {
  readonly body: string;
};
export type MessageRow = Omit<typeof messages.$inferSelect, "body"> & { readonly body: string };

/** A message found, with what ranking takes from its neighbours. */
export type MessageCandidate = MessageRow & { readonly ctx: string };

export interface ConversationFilter {
  readonly source?: Source;
  /** Milliseconds UTC; `after` inclusive, `before` exclusive; about the last change. */
  readonly after?: number;
  readonly before?: number;
}

export interface MessageFilter extends ConversationFilter {
  readonly role?: Role;
}

/** Place of the last row of a page: its time and id. */
export type ConversationPlace = readonly [time: number, id: string];

/** How far context reaches, in turns (±2: +8 to +10 points of R@10 over none, search prototype). */
export const CONTEXT_TURNS = 2;

export type ConversationStore = ReturnType<typeof openConversations>;

export function openConversations(d1: D1Database, userId: string) {
  const db = drizzle(d1);
  const conversationRow = {
    ...getTableColumns(conversations),
    body: sql<string>`hex(${conversations.body})`,
  };
  const messageRow = { ...getTableColumns(messages), body: sql<string>`hex(${messages.body})` };
  const ofConversation = and(
    eq(conversations.userId, messages.userId),
    eq(conversations.id, messages.conversation),
    eq(conversations.status, "active"),
  );

  function messageConditions(filter: MessageFilter): (SQL | undefined)[] {
    return [
      eq(messages.userId, userId),
      filter.role === undefined ? undefined : eq(messages.role, filter.role),
      filter.source === undefined ? undefined : eq(conversations.source, filter.source),
      filter.after === undefined
        ? undefined
        : sql`coalesce(${messages.createdAt}, ${conversations.updatedAt}) >= ${filter.after}`,
      filter.before === undefined
        ? undefined
        : sql`coalesce(${messages.createdAt}, ${conversations.updatedAt}) < ${filter.before}`,
    ];
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
    async getMany(ids: readonly string[]): Promise<ConversationRow[]> {
      if (ids.length === 0) return [];
      return db
        .select(conversationRow)
        .from(conversations)
        .where(and(eq(conversations.userId, userId), inArray(conversations.id, [...ids])));
    },

    /** Latest change first (or last). */
    async list(
      filter: ConversationFilter & { readonly status: MemoryStatus },
      order: "newest" | "oldest",
      page: { readonly from: ConversationPlace | null; readonly limit: number },
    ): Promise<{ rows: ConversationRow[]; total: number }> {
      const conditions = [
        eq(conversations.userId, userId),
        eq(conversations.status, filter.status),
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

    /** The turns just before and after each message. `at`: at most 64. */
    async neighbours(
      at: readonly { readonly conversation: string; readonly position: number }[],
    ): Promise<MessageRow[]> {
      if (at.length === 0) return [];
      return db
        .select(messageRow)
        .from(sql`json_each(${JSON.stringify(at)}) j`)
        .crossJoin(messages)
        .where(
          and(
            eq(messages.userId, userId),
            sql`${messages.conversation} = j.value->>'conversation'`,
            sql`${messages.position} BETWEEN j.value->>'position' - 1 AND j.value->>'position' + 1`,
          ),
        );
    },

    /** The first message of the latest conversations: what an empty search shows. */
    async openings(filter: MessageFilter, limit: number): Promise<MessageCandidate[]> {
      return db
        .select({ ...messageRow, ctx: sql<string>`''` })
        .from(conversations)
        .innerJoin(messages, ofConversation)
        .where(
          and(
            eq(conversations.userId, userId),
            eq(messages.position, 0),
            ...messageConditions(filter),
          ),
        )
        .orderBy(desc(conversations.updatedAt), desc(conversations.id))
        .limit(limit);
    },

    /** `terms`: distinct blind tokens, at most 64. */
    statistics(terms: readonly string[]): Promise<SearchStatistics> {
      return readStatistics(db, userId, "messages", terms);
    },

    /** As `MemoryStore.candidates`, over messages, with the neighbours' tokens. */
    async candidates(
      match: string,
      order: "rank" | "newest",
      filter: MessageFilter,
      limit: number,
    ): Promise<MessageCandidate[]> {
      const ctx = sql<string>`coalesce((SELECT group_concat(n.tokens, ' ') FROM messages n WHERE n.user_id = ${messages.userId}
        AND n.conversation = ${messages.conversation} AND n.position BETWEEN ${messages.position} - ${sql.raw(String(CONTEXT_TURNS))}
        AND ${messages.position} + ${sql.raw(String(CONTEXT_TURNS))} AND n.position <> ${messages.position}), '')`;
      return db
        .select({ ...messageRow, ctx })
        .from(sql`messages_fts`)
        .innerJoin(messages, sql`${messages.seq} = messages_fts.rowid`)
        .innerJoin(conversations, ofConversation)
        .where(and(sql`messages_fts MATCH ${match}`, ...messageConditions(filter)))
        .orderBy(order === "rank" ? sql`messages_fts.rank` : sql`messages_fts.rowid DESC`)
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
