/** When memories came and conversations were held, in slots of a quarter of an hour: every time zone's days begin at the beginning of one. */
import type { Source } from "./closed-lists.ts";

export interface TimelineSlot {
  /** Milliseconds UTC. */
  readonly beginsAt: number;
  readonly source: Source;
  /** Memories, or messages of conversations that began then. */
  readonly items: number;
  /** Of the table: what the limit is about. */
  readonly rows: number;
}

export type TimelineStore = ReturnType<typeof openTimeline>;

const SLOT_MS = 900_000;
const SLOTS = `SELECT created_at / ${SLOT_MS} * ${SLOT_MS} AS beginsAt, source, sum(items) AS items, count(*) AS rows`;
// ?1 user, ?2 since, ?3 limit. Both walk an index backwards, and read as many rows as the limit at most.
const SQL_MEMORIES = `${SLOTS} FROM (SELECT created_at, source, 1 AS items FROM memories
  WHERE user_id = ?1 AND status = 'active' AND created_at >= ?2 ORDER BY created_at DESC LIMIT ?3) GROUP BY beginsAt, source`;
const SQL_MESSAGES = `${SLOTS} FROM (SELECT created_at, source, iif(status = 'active', message_count, 0) AS items FROM conversations
  WHERE user_id = ?1 AND created_at >= ?2 ORDER BY created_at DESC LIMIT ?3) GROUP BY beginsAt, source`;

export function openTimeline(d1: D1Database, userId: string) {
  return {
    /** What is in use, the newest of each kind. @param since milliseconds UTC */
    async read(
      since: number,
      limit: number,
    ): Promise<{ readonly memories: TimelineSlot[]; readonly messages: TimelineSlot[] }> {
      const [memories, messages] = await d1.batch<TimelineSlot>(
        [SQL_MEMORIES, SQL_MESSAGES].map((sql) => d1.prepare(sql).bind(userId, since, limit)),
      );
      return { memories: memories?.results ?? [], messages: messages?.results ?? [] };
    },
  };
}
