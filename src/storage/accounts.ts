/** The row of `users` and the counters of one account. */
import { eq, getTableColumns, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { accounts, operations, users } from "./schema.ts";
import type { WrappedMasterKey } from "../vault/keys.ts";
import { and } from "drizzle-orm";

export type AccountCounters = typeof accounts.$inferSelect;

export interface UserRow extends WrappedMasterKey {
  readonly id: string;
  readonly timeZone: string;
  readonly locale: string;
  readonly createdAt: number;
}

export interface OperationRow {
  readonly id: string;
  readonly kind: string;
  readonly subject: string | null;
}

/** Reads the first database. Null: nobody of this id has signed up. */
export async function findUser(d1: D1Database, userId: string): Promise<UserRow | null> {
  const [row] = await drizzle(d1)
    .select({ ...getTableColumns(users), wrappedKey: sql<string>`hex(${users.wrappedKey})` })
    .from(users)
    .where(eq(users.id, userId));
  return row === undefined ? null : { ...row, wrappedKey: Uint8Array.fromHex(row.wrappedKey) };
}

const SQL_CREATE_USER = `INSERT INTO users (id, shard, mode, key_version, wrapped_key, key_check, time_zone, locale, created_at)
  VALUES (?1, 'DB', 'managed', ?2, unhex(?3), ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING`;

/** Creates the account of a user who signed up. Repeating it changes nothing. */
export async function createUser(d1: D1Database, user: UserRow): Promise<void> {
  await d1
    .prepare(SQL_CREATE_USER)
    .bind(
      user.id,
      user.keyVersion,
      user.wrappedKey.toHex(),
      user.keyCheck,
      user.timeZone,
      user.locale,
      user.createdAt,
    )
    .run();
}

export async function setTimeZone(d1: D1Database, userId: string, timeZone: string): Promise<void> {
  await drizzle(d1).update(users).set({ timeZone }).where(eq(users.id, userId));
}

export type AccountStore = ReturnType<typeof openAccounts>;

export function openAccounts(d1: D1Database, userId: string) {
  const db = drizzle(d1);
  return {
    /** Zeros for an account that holds nothing yet. */
    async counters(): Promise<AccountCounters> {
      const [row] = await db.select().from(accounts).where(eq(accounts.userId, userId));
      return row ?? { ...EMPTY, userId };
    },

    async operation(id: string): Promise<OperationRow | null> {
      const [row] = await db
        .select({ id: operations.id, kind: operations.kind, subject: operations.subject })
        .from(operations)
        .where(and(eq(operations.userId, userId), eq(operations.id, id)));
      return row ?? null;
    },
  };
}

const EMPTY: Omit<AccountCounters, "userId"> = {
  memoriesActive: 0,
  memoriesPending: 0,
  memoriesTrashed: 0,
  memoryTokens: 0,
  conversations: 0,
  conversationsTrashed: 0,
  messages: 0,
  messageTokens: 0,
  bytes: 0,
  rules: null,
  ruleWords: null,
  commonMemoryTerms: null,
  commonMessageTerms: null,
  lastExportAt: null,
  lastBackupAt: null,
  lastVerifiedBackupAt: null,
};
