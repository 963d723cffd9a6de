/**
 * Which words are common among a user's rows, estimated from a sample: counting them exactly would walk the longest posting lists
 * at each search. Blind tokens only; rebuilt as the rows grow.
 */
import { and, eq, gt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { base32 } from "../vault/bytes.ts";
import type { AccountRow } from "./accounts.ts";
import { CHEAP_ROWS, isOutdated, type IndexName } from "./full-text.ts";
import { CONTEXT_TURNS } from "./message-index.ts";
import { accounts, memories, messages } from "./schema.ts";

/** Whether there is no sample, or the rows grew by a fifth since, or half of them went. */
export function needsSample(account: AccountRow, index: IndexName): boolean {
  return isOutdated(sizesOf(account, index));
}

/** Takes a new sample. It changes no answer, only how it is found, so running it twice or late does no harm. */
export async function sampleCommonTerms(
  d1: D1Database,
  account: AccountRow,
  index: IndexName,
): Promise<void> {
  const { rows } = sizesOf(account, index);
  const counts = new Map<string, number>();
  let sampled = 0;
  for await (const { tokens, dt } of sampleRows(d1, account.userId, index, sampleSize(rows))) {
    sampled += 1;
    for (const token of new Set(`${tokens} ${dt}`.split(" "))) {
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
  }
  if (sampled === 0) return;
  const scale = rows / sampled;
  const least = Math.max(LEAST_SEEN, Math.ceil(CHEAP_ROWS / scale));
  const common = [...counts].filter(([, count]) => count >= least);
  const value = JSON.stringify(
    Object.fromEntries(common.map(([token, count]) => [token, Math.round(count * scale)])),
  );
  await drizzle(d1)
    .update(accounts)
    .set(
      index === "memories"
        ? { commonMemoryTerms: value, memoriesSampled: rows }
        : { commonMessageTerms: value, messagesSampled: rows },
    )
    .where(eq(accounts.userId, account.userId));
}

/** Seen fewer times, a word's frequency is a guess. Arbitrary. */
const LEAST_SEEN = 4;
/** Rows read at once. A message comes with the turns around it, some kilobytes each. */
const PAGE = { memories: 500, messages: 100 } as const;

/** As the index has a message: with its context, where a word counts as well. */
const IN_CONTEXT = sql<string>`(SELECT group_concat(n.tokens, ' ') FROM messages n WHERE n.user_id = messages.user_id
  AND n.conversation = messages.conversation AND n.position BETWEEN messages.position - ${CONTEXT_TURNS} AND messages.position + ${CONTEXT_TURNS})`;

/** At a million rows a word seen four times in 4,000 stands in 1,000, as many as a search selects. */
function sampleSize(rows: number): number {
  return Math.min(4_000, Math.max(1_000, Math.ceil(rows / 250)));
}

function sizesOf(account: AccountRow, index: IndexName): { rows: number; sampled: number } {
  return index === "memories"
    ? { rows: account.memoriesActive, sampled: account.memoriesSampled }
    : { rows: account.messages, sampled: account.messagesSampled };
}

/** Ids and keys are random, so rows that follow one another by them are a sample. It begins anywhere and goes round. */
async function* sampleRows(
  d1: D1Database,
  userId: string,
  index: IndexName,
  size: number,
): AsyncGenerator<{ readonly tokens: string; readonly dt: string }> {
  const start = base32(crypto.getRandomValues(new Uint8Array(8)));
  let left = size;
  let after = start;
  for (let rounds = 0; rounds < 2; after = "", rounds++) {
    for (;;) {
      const page = await readPage(d1, userId, { index, after, limit: Math.min(left, PAGE[index]) });
      for (const row of page) {
        if (rounds === 1 && row.key > start) return;
        yield row;
      }
      left -= page.length;
      if (left === 0) return;
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.key;
    }
  }
}

async function readPage(
  d1: D1Database,
  userId: string,
  {
    index,
    after,
    limit,
  }: { readonly index: IndexName; readonly after: string; readonly limit: number },
): Promise<{ key: string; tokens: string; dt: string }[]> {
  const db = drizzle(d1);
  if (index === "messages") {
    return db
      .select({ key: messages.originKey, tokens: IN_CONTEXT, dt: messages.dt })
      .from(messages)
      .where(and(eq(messages.userId, userId), gt(messages.originKey, after)))
      .orderBy(messages.originKey)
      .limit(limit);
  }
  return db
    .select({ key: memories.id, tokens: memories.tokens, dt: memories.dt })
    .from(memories)
    .where(
      // The unary plus keeps SQLite from walking the index by status, which would sort all of the user's rows.
      and(eq(memories.userId, userId), gt(memories.id, after), sql`+${memories.status} = 'active'`),
    )
    .orderBy(memories.id)
    .limit(limit);
}
