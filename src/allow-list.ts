/**
 * The grants and tokens of one user, in the storage of their object: who is not here is refused, whatever a token says. Beside each stands
 * when it was last used and how often: counted in memory, and written once a minute at most, because every request is seen here.
 */
import type {
  DayOfCalls,
  Grant,
  GrantChange,
  GrantClaim,
  GrantLine,
  NewOAuthGrant,
  NewToken,
} from "./grants.ts";
import { isScope } from "./scopes.ts";

interface GrantRow extends Record<string, SqlStorageValue> {
  id: string;
  kind: Grant["kind"];
  client: string;
  client_id: string | null;
  scopes: string;
  trusted: number;
  state: Grant["state"];
  redirect_uri: string | null;
  created_at: number;
  used_at: number | null;
}

/** What has not been written yet of one grant. */
interface Use {
  readonly usedAt: number;
  readonly calls: number;
}

const DAY_MS = 86_400_000;
export const DAYS_OF_CALLS = 30;
/** What is lost when the object ends in between is a minute's count. The object stays in memory for longer than that anyway. */
const WRITE_EVERY_MS = 60_000;

export type AllowList = ReturnType<typeof openAllowList>;

export function openAllowList(sql: SqlStorage) {
  createTables(sql);
  const unwritten = new Map<string, Use>();
  let writtenAt = 0;
  let writing: ReturnType<typeof setTimeout> | null = null;

  function note(id: string, usedAt: number, calls: 0 | 1): void {
    const before = unwritten.get(id);
    // A day's calls are counted as that day's.
    if (before !== undefined && dayOf(before.usedAt) !== dayOf(usedAt)) write(usedAt);
    unwritten.set(id, { usedAt, calls: (unwritten.get(id)?.calls ?? 0) + calls });
    const wait = writtenAt + WRITE_EVERY_MS - usedAt;
    if (wait <= 0) write(usedAt);
    else writing ??= setTimeout(() => write(Date.now()), wait);
  }

  function write(now: number): void {
    if (writing !== null) clearTimeout(writing);
    writing = null;
    writtenAt = now;
    for (const [id, { usedAt, calls }] of unwritten) {
      // A grant may have ended meanwhile: nothing is to be kept of it.
      const isThere = sql.exec("UPDATE grants SET used_at = ? WHERE id = ?", usedAt, id);
      if (isThere.rowsWritten > 0 && calls > 0) {
        sql.exec(
          `INSERT INTO grant_days (grant_id, day, calls) VALUES (?, ?, ?)
            ON CONFLICT (grant_id, day) DO UPDATE SET calls = calls + excluded.calls`,
          id,
          dayOf(usedAt),
          calls,
        );
      }
    }
    unwritten.clear();
    sql.exec("DELETE FROM grant_days WHERE day <= ?", dayOf(now) - DAYS_OF_CALLS);
  }

  function remove(ids: readonly string[]): void {
    for (const id of ids) {
      unwritten.delete(id);
      sql.exec("DELETE FROM grants WHERE id = ?", id);
      sql.exec("DELETE FROM grant_days WHERE grant_id = ?", id);
    }
  }

  function linesOf(rows: readonly GrantRow[], now: number): GrantLine[] {
    const days = daysByGrant(sql, dayOf(now) - DAYS_OF_CALLS, unwritten);
    return rows.map((row) => ({
      ...grantOf(row),
      clientId: row.client_id,
      redirectUri: row.redirect_uri,
      createdAt: row.created_at,
      usedAt: unwritten.get(row.id)?.usedAt ?? row.used_at,
      calls: days.get(row.id) ?? [],
    }));
  }

  return {
    /** Null: unknown, therefore revoked or never given. */
    admit(claim: GrantClaim, now: number): Grant | null {
      const [row] = (
        claim.kind === "oauth"
          ? sql.exec<GrantRow>(
              "SELECT * FROM grants WHERE id = ? AND kind = 'oauth'",
              claim.grantId,
            )
          : sql.exec<GrantRow>("SELECT * FROM grants WHERE secret_hash = ?", claim.secretHash)
      ).toArray();
      if (row === undefined) return null;
      const grant = grantOf(row);
      // What is refused is no use.
      if (grant.state !== "paused") note(row.id, now, 0);
      return claim.kind === "token"
        ? grant
        : { ...grant, scopes: grant.scopes.filter((scope) => claim.scopes.includes(scope)) };
    },

    /** A tool, a prompt or a resource was asked for, or a route of the API. */
    countCall(id: string, now: number): void {
      note(id, now, 1);
    },

    /** Earlier grants of the same client end, as they do in the OAuth library. @returns their ids */
    allowGrant(grant: NewOAuthGrant): string[] {
      // Clients that are known by a metadata document share its address, so there the redirect address tells installations apart.
      const byAddress = grant.clientId.startsWith("https://");
      const ended = sql
        .exec<{ id: string }>(
          `SELECT id FROM grants WHERE client_id = ? AND (NOT ? OR redirect_uri = ?)`,
          grant.clientId,
          byAddress ? 1 : 0,
          grant.redirectUri,
        )
        .toArray()
        .map(({ id }) => id);
      remove(ended);
      sql.exec(
        `INSERT INTO grants (id, kind, client, client_id, redirect_uri, scopes, created_at) VALUES (?, 'oauth', ?, ?, ?, ?, ?)`,
        grant.id,
        grant.client,
        grant.clientId,
        grant.redirectUri,
        JSON.stringify(grant.scopes),
        Date.now(),
      );
      return ended;
    },

    allowToken({ kind = "token", trusted = false, ...token }: NewToken): void {
      sql.exec(
        `INSERT INTO grants (id, kind, client, scopes, secret_hash, trusted, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
        token.id,
        kind,
        token.client,
        JSON.stringify(token.scopes),
        token.secretHash,
        trusted ? 1 : 0,
        Date.now(),
      );
    },

    /** Newest first. */
    list(now: number): GrantLine[] {
      return linesOf(
        sql.exec<GrantRow>("SELECT * FROM grants ORDER BY created_at DESC, id LIMIT 500").toArray(),
        now,
      );
    },

    /** Null: there is none of this id. */
    find(id: string, now: number): GrantLine | null {
      const rows = sql.exec<GrantRow>("SELECT * FROM grants WHERE id = ?", id).toArray();
      return linesOf(rows, now)[0] ?? null;
    },

    /** In force from the next call on. */
    change(id: string, change: GrantChange): void {
      const [row] = sql.exec<GrantRow>("SELECT * FROM grants WHERE id = ?", id).toArray();
      if (row === undefined) return;
      const { client, state, trusted, scopes } = { ...grantOf(row), ...given(change) };
      const kept = grantOf(row).scopes.filter((scope) => scopes.includes(scope));
      sql.exec(
        "UPDATE grants SET client = ?, state = ?, trusted = ?, scopes = ? WHERE id = ?",
        client,
        state,
        trusted ? 1 : 0,
        JSON.stringify(kept),
        id,
      );
    },

    /** From now on every call under it is refused. False: there was none of this id. */
    revoke(id: string): boolean {
      const [row] = sql.exec("SELECT 1 FROM grants WHERE id = ?", id).toArray();
      remove([id]);
      return row !== undefined;
    },
  };
}

function createTables(sql: SqlStorage): void {
  sql.exec(`CREATE TABLE IF NOT EXISTS grants (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, client TEXT NOT NULL, client_id TEXT, redirect_uri TEXT,
    scopes TEXT NOT NULL, secret_hash TEXT UNIQUE, created_at INTEGER NOT NULL, used_at INTEGER)`);
  sql.exec(`CREATE TABLE IF NOT EXISTS grant_days (
    grant_id TEXT NOT NULL, day INTEGER NOT NULL, calls INTEGER NOT NULL, PRIMARY KEY (grant_id, day)) WITHOUT ROWID`);
  // Objects that were made before there were these have a table without them. Nothing in it was trusted, or anything but active.
  addColumn(sql, "trusted", "INTEGER NOT NULL DEFAULT 0");
  addColumn(sql, "state", "TEXT NOT NULL DEFAULT 'active'");
}

function addColumn(sql: SqlStorage, name: "trusted" | "state", definition: string): void {
  const columns = sql.exec<{ name: string }>("SELECT name FROM pragma_table_info('grants')");
  if (columns.toArray().some((column) => column.name === name)) return;
  sql.exec(`ALTER TABLE grants ADD COLUMN ${name} ${definition}`);
}

function daysByGrant(
  sql: SqlStorage,
  before: number,
  unwritten: ReadonlyMap<string, Use>,
): Map<string, DayOfCalls[]> {
  const counted = sql
    .exec<{ grant_id: string; day: number; calls: number }>(
      "SELECT * FROM grant_days WHERE day > ? ORDER BY grant_id, day",
      before,
    )
    .toArray();
  for (const [id, { usedAt, calls }] of unwritten) {
    if (calls > 0) counted.push({ grant_id: id, day: dayOf(usedAt), calls });
  }
  const days = new Map<string, DayOfCalls[]>();
  for (const { grant_id, day, calls } of counted) {
    const known = days.get(grant_id) ?? [];
    const last = known.at(-1);
    if (last?.day === day) known[known.length - 1] = { day, calls: last.calls + calls };
    else known.push({ day, calls });
    days.set(grant_id, known);
  }
  return days;
}

function grantOf(row: GrantRow): Grant {
  const scopes: unknown = JSON.parse(row.scopes);
  return {
    id: row.id,
    kind: row.kind,
    client: row.client,
    state: row.state,
    scopes: Array.isArray(scopes) ? scopes.filter((scope) => isScope(scope)) : [],
    trusted: row.kind !== "oauth" && row.trusted === 1,
  };
}

function given({ client, state, trusted, scopes }: GrantChange) {
  return {
    ...(client === undefined ? {} : { client }),
    ...(state === undefined ? {} : { state }),
    ...(trusted === undefined ? {} : { trusted }),
    ...(scopes === undefined ? {} : { scopes }),
  };
}

/** UTC, days since 1970. */
function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}
