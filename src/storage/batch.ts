/**
 * Writes. A batch is atomic, and every statement of Cofio's batches hangs on a row that only this request can have made,
 * so running a batch again after an answer that got lost changes nothing.
 */

/** ?1 user, ?2 operation, ?3 grant, ?4 hash of an idempotency key. True without a key, and for the request that claimed it. */
export const CLAIMED =
  "(?4 IS NULL OR EXISTS (SELECT 1 FROM idempotency i WHERE i.user_id = ?1 AND i.grant_id = ?3 AND i.key = ?4 AND i.op = ?2))";

/** Whether an operation changed anything: what did nothing has no row. */
export const SQL_HAS_OPERATION = "SELECT 1 FROM operations WHERE user_id = ?1 AND id = ?2";

/** Messages of D1 that mean "try again" (developers.cloudflare.com/d1/observability/debug-d1). D1 itself retries reads only. */
const TRANSIENT = [
  "Network connection lost",
  "storage caused object to be reset",
  "reset because its code was updated",
];
const ATTEMPTS = 3;
/** Arbitrary; long enough for a database to move, short beside a tool call. */
const BACKOFF_MS = 100;

/** Runs a batch that is safe to repeat. @throws the last error. */
export async function runBatch(
  db: D1Database,
  statements: D1PreparedStatement[],
): Promise<D1Result[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.batch(statements);
    } catch (error) {
      if (attempt === ATTEMPTS || !isTransient(error)) throw error;
      const jitter = 0.5 + Math.random();
      await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS * attempt * jitter));
    }
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof Error && TRANSIENT.some((text) => error.message.includes(text));
}

/** One JSON parameter must stay below D1's 2 MB for a value. */
const MAX_PARAMETER_CHARS = 1_400_000;

/** Rows in parts that fit a parameter each, in order. @param sizeOf characters of a row as JSON */
export function packed<T>(items: readonly T[], sizeOf: (item: T) => number): T[][] {
  const parts: T[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const own = sizeOf(item);
    if (size + own > MAX_PARAMETER_CHARS) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(item);
    size += own;
  }
  return parts;
}

/** Statements for each part of the rows that fits a parameter: each statement for all parts, then the next one. */
export function each(
  rows: readonly object[],
  statements: readonly ((rows: string) => D1PreparedStatement)[],
): D1PreparedStatement[] {
  const texts = rows.map((row) => JSON.stringify(row));
  const parts = packed(texts, ({ length }) => length + 1).map((part) => `[${part.join(",")}]`);
  return statements.flatMap((statement) => parts.map(statement));
}
