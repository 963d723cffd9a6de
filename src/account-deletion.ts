/** The person's wish to delete their account, in the storage of their object: it outlasts everything else there. */

/** Milliseconds UTC. */
export interface Deletion {
  readonly requestedAt: number;
  readonly dueAt: number;
  /** Its grace is over and nothing brings the account back. */
  readonly isBegun: boolean;
  /** Nobody can open it any more; what is left is rows and files. */
  readonly isClosed: boolean;
}

const GRACE_DAYS = 7;
const DAY_MS = 86_400_000;
/** In the column `begun`; 0 before. */
const BEGUN = 1;
const CLOSED = 2;

export type AccountDeletion = ReturnType<typeof openAccountDeletion>;

export function openAccountDeletion(sql: SqlStorage) {
  sql.exec(
    "CREATE TABLE IF NOT EXISTS deletion (one INTEGER PRIMARY KEY CHECK (one = 1), requested_at INTEGER NOT NULL, due_at INTEGER NOT NULL, begun INTEGER NOT NULL DEFAULT 0)",
  );
  let known: Deletion | null | undefined;

  function read(): Deletion | null {
    const [row] = sql
      .exec<{ requested_at: number; due_at: number; begun: number }>("SELECT * FROM deletion")
      .toArray();
    if (row === undefined) return null;
    const { requested_at: requestedAt, due_at: dueAt, begun } = row;
    return { requestedAt, dueAt, isBegun: begun >= BEGUN, isClosed: begun === CLOSED };
  }

  /** Null: nobody asked for it. Every request looks, so it is read once. */
  function find(): Deletion | null {
    if (known === undefined) known = read();
    return known;
  }

  return {
    find,

    /** What asking for it now means: asked for again it keeps its day. */
    plan(now: number): Deletion {
      const dueAt = now + GRACE_DAYS * DAY_MS;
      return find() ?? { requestedAt: now, dueAt, isBegun: false, isClosed: false };
    },

    request({ requestedAt, dueAt }: Deletion): void {
      sql.exec(
        "INSERT INTO deletion (one, requested_at, due_at) VALUES (1, ?, ?) ON CONFLICT DO NOTHING",
        requestedAt,
        dueAt,
      );
      known = undefined;
    },

    /** Once it has begun it stays. */
    takeBack(): void {
      sql.exec("DELETE FROM deletion WHERE begun = 0");
      known = undefined;
    },

    begin(): void {
      sql.exec("UPDATE deletion SET begun = ? WHERE begun = 0", BEGUN);
      known = undefined;
    },

    close(): void {
      sql.exec("UPDATE deletion SET begun = ?", CLOSED);
      known = undefined;
    },
  };
}
