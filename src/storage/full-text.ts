/** What both full-text indexes have in common. */
import { eq, sql } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { SearchStatistics } from "../search/candidates.ts";
import { accounts } from "./schema.ts";

const INDEXES = {
  memories: {
    vocab: sql`memories_vocab`,
    rows: accounts.memoriesActive,
    tokens: accounts.memoryTokens,
  },
  messages: { vocab: sql`messages_vocab`, rows: accounts.messages, tokens: accounts.messageTokens },
} as const;

/**
 * What ranking needs to know of a user's words. `terms`: distinct blind tokens, at most 64; tokens differ per user, so the
 * frequencies are this user's own. Always asked by `term IN`, since anything else would walk the whole index.
 */
export async function readStatistics(
  db: DrizzleD1Database,
  userId: string,
  index: keyof typeof INDEXES,
  terms: readonly string[],
): Promise<SearchStatistics> {
  const { vocab, rows, tokens } = INDEXES[index];
  const [frequencies, [account]] = await db.batch([
    db
      .select({ term: sql<string>`term`, doc: sql<number>`doc` })
      .from(vocab)
      .where(sql`term IN (SELECT value FROM json_each(${JSON.stringify(terms)}))`),
    db.select({ rows, tokens }).from(accounts).where(eq(accounts.userId, userId)),
  ]);
  return {
    rows: account?.rows ?? 0,
    tokens: account?.tokens ?? 0,
    df: new Map(frequencies.map(({ term, doc }) => [term, doc])),
  };
}
