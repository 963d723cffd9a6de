/** The row of `users` and the counters of one account. */
import { and, asc, eq, getTableColumns, gt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { TOKENIZER_VERSION } from "../search/tokenize.ts";
import type { WrappedMasterKey } from "../vault/keys.ts";
import { runBatch } from "./batch.ts";
import type { StoredRules } from "./rules.ts";
import { accounts, users } from "./schema.ts";

/** What every request reads; `ruleWords` is the ciphertext in hex. The samples of common words are read by searches alone. */
export type AccountRow = Omit<
  typeof accounts.$inferSelect,
  "ruleWords" | "commonMemoryTerms" | "commonMessageTerms"
> & { readonly ruleWords: string | null };

export interface UserRow extends WrappedMasterKey {
  readonly id: string;
  readonly timeZone: string;
  readonly locale: string;
  readonly createdAt: number;
}

const USER_COLUMNS = {
  ...getTableColumns(users),
  wrappedKey: sql<string>`hex(${users.wrappedKey})`,
};
const { commonMemoryTerms: _m, commonMessageTerms: _c, ...ACCOUNT } = getTableColumns(accounts);
const ACCOUNT_COLUMNS = { ...ACCOUNT, ruleWords: sql<string | null>`hex(${accounts.ruleWords})` };

/** ?1 user. Of a batch that may have no operation of its own; raising it for nothing costs a backup at most. */
export const SQL_CHANGED = `INSERT INTO accounts (user_id, changes, memory_tokenizer, message_tokenizer)
  VALUES (?1, 1, ${TOKENIZER_VERSION}, ${TOKENIZER_VERSION}) ON CONFLICT (user_id) DO UPDATE SET changes = changes + 1`;

/** Reads the first database. Null: nobody of this id has signed up. */
export async function findUser(d1: D1Database, userId: string): Promise<UserRow | null> {
  const [row] = await drizzle(d1).select(USER_COLUMNS).from(users).where(eq(users.id, userId));
  return row === undefined ? null : userOf(row);
}

/** The user with their account, in one round trip: what every request begins with. An account that holds nothing yet is all zeros. */
export async function findUserAndAccount(
  d1: D1Database,
  userId: string,
): Promise<{ readonly user: UserRow; readonly account: AccountRow } | null> {
  const db = drizzle(d1);
  const [[user], [account]] = await db.batch([
    db.select(USER_COLUMNS).from(users).where(eq(users.id, userId)),
    db.select(ACCOUNT_COLUMNS).from(accounts).where(eq(accounts.userId, userId)),
  ]);
  if (user === undefined) return null;
  return { user: userOf(user), account: account ?? { ...EMPTY, userId } };
}

function userOf(row: Omit<UserRow, "wrappedKey"> & { readonly wrappedKey: string }): UserRow {
  return { ...row, wrappedKey: Uint8Array.fromHex(row.wrappedKey) };
}

const SQL_CREATE_USER = `INSERT INTO users (id, shard, mode, key_version, wrapped_key, key_check, wrapped_under, time_zone, locale, created_at)
  VALUES (?1, 'DB', 'managed', ?2, unhex(?3), ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING`;

/** Creates the account of a user who signed up. Repeating it changes nothing. */
export async function createUser(d1: D1Database, user: UserRow): Promise<void> {
  await d1
    .prepare(SQL_CREATE_USER)
    .bind(
      user.id,
      user.keyVersion,
      user.wrappedKey.toHex(),
      user.keyCheck,
      user.wrappedUnder,
      user.timeZone,
      user.locale,
      user.createdAt,
    )
    .run();
}

/** Only where it is wrapped as it was read. What it opens to is the same, so repeating it, or two at once, lose nothing. */
const SQL_REWRAP = `UPDATE users SET wrapped_key = unhex(?3), wrapped_under = ?4 WHERE id = ?1 AND wrapped_key = unhex(?2)`;

/** One value of each user; no row that it opens is touched. */
export async function rewrapUsers(
  d1: D1Database,
  changes: readonly { readonly user: UserRow; readonly rewrapped: WrappedMasterKey }[],
): Promise<void> {
  if (changes.length === 0) return;
  await runBatch(
    d1,
    changes.map(({ user, rewrapped: { wrappedKey, wrappedUnder } }) =>
      d1
        .prepare(SQL_REWRAP)
        .bind(user.id, user.wrappedKey.toHex(), wrappedKey.toHex(), wrappedUnder),
    ),
  );
}

/** Users whose key is wrapped under another `VAULT_KEY` than that of this id, by id, beyond `after`. */
export async function usersToRewrap(
  d1: D1Database,
  { vaultKeyId, after, limit }: RewrapPage,
): Promise<UserRow[]> {
  const rows = await drizzle(d1)
    .select(USER_COLUMNS)
    .from(users)
    .where(and(gt(users.id, after), sql`${users.wrappedUnder} IS NOT ${vaultKeyId}`))
    .orderBy(asc(users.id))
    .limit(limit);
  return rows.map(userOf);
}

export interface RewrapPage {
  readonly vaultKeyId: string;
  readonly after: string;
  readonly limit: number;
}

export async function countUsersToRewrap(d1: D1Database, vaultKeyId: string): Promise<number> {
  const [row] = await drizzle(d1)
    .select({ count: sql<number>`count(*)` })
    .from(users)
    .where(sql`${users.wrappedUnder} IS NOT ${vaultKeyId}`);
  return row?.count ?? 0;
}

export async function changeUser(
  d1: D1Database,
  userId: string,
  change: Partial<Pick<UserRow, "timeZone" | "locale">>,
): Promise<void> {
  await drizzle(d1).update(users).set(change).where(eq(users.id, userId));
}

export type AccountStore = ReturnType<typeof openAccounts>;

export function openAccounts(d1: D1Database, userId: string) {
  return {
    /** Replaces the person's own rules. False: they are others than `seen` by now, and nothing was changed. */
    async setRules(seen: StoredRules, rules: StoredRules): Promise<boolean> {
      const { results } = await d1
        .prepare(SQL_SET_RULES)
        .bind(
          userId,
          rules.rules,
          rules.ruleWords,
          seen.rules,
          // SQLite's hex() of NULL, by which it was read, is an empty string.
          seen.ruleWords === "" ? null : seen.ruleWords,
          TOKENIZER_VERSION,
        )
        .run();
      return results.length === 1;
    },
  };
}

const SQL_SET_RULES = `INSERT INTO accounts (user_id, rules, rule_words, changes, memory_tokenizer, message_tokenizer) VALUES (?1, ?2, unhex(?3), 1, ?6, ?6)
  ON CONFLICT (user_id) DO UPDATE SET rules = excluded.rules, rule_words = excluded.rule_words, changes = changes + 1
  WHERE accounts.rules IS ?4 AND accounts.rule_words IS unhex(?5) RETURNING user_id`;

const EMPTY: Omit<AccountRow, "userId"> = {
  memoriesActive: 0,
  memoriesPending: 0,
  memoriesTrashed: 0,
  memoryTokens: 0,
  conversations: 0,
  conversationsTrashed: 0,
  messages: 0,
  messageTokens: 0,
  bytes: 0,
  changes: 0,
  rules: null,
  ruleWords: null,
  memoriesSampled: 0,
  messagesSampled: 0,
  memoryTokenizer: TOKENIZER_VERSION,
  messageTokenizer: TOKENIZER_VERSION,
  lastExportAt: null,
  lastBackupAt: null,
  lastVerifiedBackupAt: null,
  integrity: null,
};
