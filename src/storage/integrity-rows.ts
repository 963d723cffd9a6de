/**
 * Rows beside what other tables say of them, page by page. Whatever is compared is read by one statement, which sees one moment, so that
 * no write between two reads looks like damage.
 */
import { and, asc, eq, getTableColumns, gt, sql, type SQL } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { REMOVED_FROM } from "./conversations.ts";
import { isImporting } from "./import-under-way.ts";
import { entryOf } from "./integrity-entries.ts";
import {
  firstKeyOf,
  ofPage,
  readBytes,
  type PageOf,
  type RowKey,
  type SizedTable,
  type WalkedTable,
} from "./integrity-pages.ts";
import {
  conversations,
  conversationVersions,
  labels,
  memories,
  memoryLabels,
  memoryVersions,
  messages,
  messageVersions,
  operations,
} from "./schema.ts";
import { isBeingPurged } from "./sums.ts";

/** 1 or 0. What comes later in a condition is looked up only where it is asked for. */
const whether = (condition: string) => `CASE WHEN ${condition} THEN 1 ELSE 0 END`;

type Item = "memories" | "conversations";
const VERSIONS_OF = {
  memories: "memory_versions",
  conversations: "conversation_versions",
} as const;

/**
 * Whether a sync has written a state of an item: then states have come that name operations of the other account, and numbers that no
 * state ever had on either side. Every write of a sync leaves a state of this account that names the sync.
 */
function wasSynced(item: Item, userId: string, id: string): string {
  const states = [
    `SELECT r.created_op FROM ${item} r WHERE r.user_id = ${userId} AND r.id = ${id}`,
    `SELECT r.changed_op FROM ${item} r WHERE r.user_id = ${userId} AND r.id = ${id}`,
    `SELECT v.changed_op FROM ${VERSIONS_OF[item]} v WHERE v.user_id = ${userId} AND v.id = ${id}`,
  ];
  return `EXISTS (SELECT 1 FROM operations s WHERE s.user_id = ${userId} AND s.kind = 'sync' AND s.id IN (${states.join(" UNION ALL ")}))`;
}

/** Whether the operations that a row names are there, or need not be: of an archive's lines they come last, and a sync brings none. */
function isAccountedFor(
  table: string,
  columns: readonly string[],
  of: { readonly item: Item; readonly id: string } | null,
): SQL<number> {
  const has = columns.map(
    (column) =>
      `(${table}.${column} IS NULL OR EXISTS (SELECT 1 FROM operations o WHERE o.user_id = ${table}.user_id AND o.id = ${table}.${column}))`,
  );
  const synced = of === null ? "false" : wasSynced(of.item, `${table}.user_id`, of.id);
  return sql.raw(
    whether(`(${has.join(" AND ")}) OR ${isImporting(`${table}.user_id`)} OR ${synced}`),
  ) as SQL<number>;
}

/** Whether every state before the present one is kept, or need not be: an archive's come after what they belong to, and syncs leave gaps. */
function hasEarlier(item: Item): SQL<number> {
  const userId = `${item}.user_id`;
  const count = `(SELECT count(*) FROM ${VERSIONS_OF[item]} v WHERE v.user_id = ${userId} AND v.id = ${item}.id AND v.version < ${item}.version)`;
  const purged = item === "conversations" ? ` OR ${isBeingPurged(item)}` : "";
  return sql.raw(
    whether(
      `${item}.version - 1 = ${count} OR ${isImporting(userId)} OR ${wasSynced(item, userId, `${item}.id`)}${purged}`,
    ),
  ) as SQL<number>;
}

/** Of an earlier state: the version of its row; null: the row is gone. */
function versionOf(versions: string, table: string): SQL<number | null> {
  return sql.raw(
    `(SELECT r.version FROM ${table} r WHERE r.user_id = ${versions}.user_id AND r.id = ${versions}.id)`,
  ) as SQL<number | null>;
}

const CONVERSATION_OF = (table: string) => `ltrim(${table}.conversation, '${REMOVED_FROM}')`;

export function openIntegrityRows(d1: D1Database, userId: string) {
  const db = drizzle(d1);
  const fits = (name: SizedTable, page: PageOf) => ofPage(userId, name, page);

  return {
    /** By id. @param seed which tokens are looked up */
    memories(page: PageOf, seed: number) {
      return db
        .select({
          ...getTableColumns(memories),
          body: hexOf("memories"),
          bodyBytes: sql<number>`length(memories.body)`,
          readBytes: readBytes("memories"),
          ...entryOf("memories", seed),
          hasOperations: isAccountedFor("memories", ["created_op", "changed_op", "trashed_op"], {
            item: "memories",
            id: "memories.id",
          }),
          hasEarlier: hasEarlier("memories"),
        })
        .from(memories)
        .where(fits("memories", page))
        .orderBy(asc(memories.id));
    },

    /** By id and version. */
    memoryVersions(page: PageOf) {
      return db
        .select({
          id: memoryVersions.id,
          version: memoryVersions.version,
          bodyVersion: memoryVersions.bodyVersion,
          body: hexOf("memory_versions"),
          readBytes: readBytes("memory_versions"),
          hasOperations: isAccountedFor("memory_versions", ["replaced_op"], {
            item: "memories",
            id: "memory_versions.id",
          }),
          rowVersion: versionOf("memory_versions", "memories"),
        })
        .from(memoryVersions)
        .where(fits("memory_versions", page))
        .orderBy(asc(memoryVersions.id), asc(memoryVersions.version));
    },

    /** By label. */
    labelNames({ after: [label = ""], limit }: PageOf) {
      return db
        .select({ label: labels.label, kind: labels.kind, body: hexOf("labels") })
        .from(labels)
        .where(and(eq(labels.userId, userId), gt(labels.label, String(label))))
        .orderBy(asc(labels.label))
        .limit(limit);
    },

    /** By label and memory; null: there is no such memory. */
    labelled({ after, limit }: PageOf) {
      return db
        .select({
          label: memoryLabels.label,
          seq: memoryLabels.seq,
          id: memories.id,
          version: memories.version,
          bodyVersion: memories.bodyVersion,
          body: sql<string>`hex(${memories.body})`,
        })
        .from(memoryLabels)
        .leftJoin(
          memories,
          and(eq(memories.seq, memoryLabels.seq), eq(memories.userId, memoryLabels.userId)),
        )
        .where(
          and(
            eq(memoryLabels.userId, userId),
            after.length === 0
              ? undefined
              : sql`(${memoryLabels.label}, ${memoryLabels.seq}) > (${after[0]}, ${after[1]})`,
          ),
        )
        .orderBy(asc(memoryLabels.label), asc(memoryLabels.seq))
        .limit(limit);
    },

    /** By id. */
    conversations({ after: [id = ""], limit }: PageOf) {
      return db
        .select({
          id: conversations.id,
          bodyVersion: conversations.bodyVersion,
          body: hexOf("conversations"),
          hasOperations: isAccountedFor(
            "conversations",
            ["created_op", "changed_op", "trashed_op"],
            { item: "conversations", id: "conversations.id" },
          ),
          hasEarlier: hasEarlier("conversations"),
          isCounted: sql.raw(
            whether(
              `conversations.message_count = (SELECT count(*) FROM messages m WHERE m.user_id = conversations.user_id AND m.conversation = conversations.id)
              OR ${isBeingPurged("conversations")}`,
            ),
          ) as SQL<number>,
        })
        .from(conversations)
        .where(and(eq(conversations.userId, userId), gt(conversations.id, String(id))))
        .orderBy(asc(conversations.id))
        .limit(limit);
    },

    /** By id and version. */
    conversationVersions(page: PageOf) {
      return db
        .select({
          id: conversationVersions.id,
          version: conversationVersions.version,
          bodyVersion: conversationVersions.bodyVersion,
          body: hexOf("conversation_versions"),
          readBytes: readBytes("conversation_versions"),
          hasOperations: isAccountedFor("conversation_versions", ["replaced_op"], {
            item: "conversations",
            id: "conversation_versions.id",
          }),
          rowVersion: versionOf("conversation_versions", "conversations"),
        })
        .from(conversationVersions)
        .where(fits("conversation_versions", page))
        .orderBy(asc(conversationVersions.id), asc(conversationVersions.version));
    },

    /** By conversation and place, each with what its conversation is opened from. @param seed as of `memories` */
    messages(page: PageOf, seed: number) {
      const ofConversation = (column: string) =>
        `(SELECT ${column} FROM conversations c WHERE c.user_id = messages.user_id AND c.id = ${CONVERSATION_OF("messages")})`;
      return db
        .select({
          ...getTableColumns(messages),
          body: hexOf("messages"),
          bodyBytes: sql<number>`length(messages.body)`,
          readBytes: readBytes("messages"),
          ...entryOf("messages", seed),
          hasOperations: isAccountedFor("messages", ["created_op", "changed_op"], {
            item: "conversations",
            id: CONVERSATION_OF("messages"),
          }),
          // One object, so that a conversation that is gone is one null.
          held: sql.raw(
            ofConversation(
              "json_object('id', c.id, 'bodyVersion', c.body_version, 'body', hex(c.body), 'source', c.source)",
            ),
          ) as SQL<string | null>,
        })
        .from(messages)
        .where(fits("messages", page))
        .orderBy(asc(messages.conversation), asc(messages.position), asc(messages.seq));
    },

    /** By conversation, id and version. */
    messageVersions(page: PageOf) {
      return db
        .select({
          conversation: messageVersions.conversation,
          id: messageVersions.id,
          version: messageVersions.version,
          bodyVersion: messageVersions.bodyVersion,
          body: hexOf("message_versions"),
          readBytes: readBytes("message_versions"),
          hasOperations: isAccountedFor("message_versions", ["replaced_op"], {
            item: "conversations",
            id: CONVERSATION_OF("message_versions"),
          }),
          isHeld: sql.raw(
            `EXISTS (SELECT 1 FROM conversations c WHERE c.user_id = message_versions.user_id AND c.id = ${CONVERSATION_OF("message_versions")})`,
          ) as SQL<number>,
        })
        .from(messageVersions)
        .where(fits("message_versions", page))
        .orderBy(
          asc(messageVersions.conversation),
          asc(messageVersions.id),
          asc(messageVersions.version),
        );
    },

    /** By id. */
    operations({ after: [id = ""], limit }: PageOf) {
      return db
        .select({
          id: operations.id,
          hasCounts: sql<number>`json_valid(operations.counts)`,
          hasUndone: isAccountedFor("operations", ["undoes_op"], null),
        })
        .from(operations)
        .where(and(eq(operations.userId, userId), gt(operations.id, String(id))))
        .orderBy(asc(operations.id))
        .limit(limit);
    },

    firstKey: (table: WalkedTable, after: RowKey): Promise<RowKey | null> =>
      firstKeyOf(d1, userId, { table, after }),
  };
}

/** The ciphertext of a table's rows. */
function hexOf(table: string): SQL<string> {
  return sql.raw(`hex(${table}.body)`) as SQL<string>;
}
