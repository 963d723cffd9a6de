/** What the integrity check needs of the database: the state that it goes on with, rows beside what others say of them, and repairs. */
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { TOKENIZER_VERSION } from "../search/tokenize.ts";
import { openIntegrityCounters } from "./integrity-counters.ts";
import { openIntegrityEntries } from "./integrity-entries.ts";
import { openIntegrityRepairs } from "./integrity-repairs.ts";
import { openIntegrityRows } from "./integrity-rows.ts";
import { accounts } from "./schema.ts";

const SQL_KEEP = `INSERT INTO accounts (user_id, memory_tokenizer, message_tokenizer, integrity) VALUES (?1, ${TOKENIZER_VERSION}, ${TOKENIZER_VERSION}, ?3)
  ON CONFLICT (user_id) DO UPDATE SET integrity = excluded.integrity WHERE accounts.integrity IS ?2 RETURNING user_id`;

export type IntegrityStore = ReturnType<typeof openIntegrity>;

export function openIntegrity(d1: D1Database, userId: string) {
  return {
    ...openIntegrityRows(d1, userId),
    ...openIntegrityEntries(d1),
    ...openIntegrityCounters(d1, userId),
    ...openIntegrityRepairs(d1, userId),

    /** The state of the check. False: it is another one than `seen` by now, and was left. */
    async keep(seen: string | null, next: string): Promise<boolean> {
      const { results } = await d1.prepare(SQL_KEEP).bind(userId, seen, next).run();
      return results.length === 1;
    },

    async kept(): Promise<string | null> {
      const [row] = await drizzle(d1)
        .select({ integrity: accounts.integrity })
        .from(accounts)
        .where(eq(accounts.userId, userId));
      return row?.integrity ?? null;
    },
  };
}
