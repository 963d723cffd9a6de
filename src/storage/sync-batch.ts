/** What the batches of a sync have in common. */
import { ROWS_WRITTEN } from "./imports.ts";
import type { OperationInput } from "./memories.ts";
import { dayOf } from "./plan.ts";

/** What an item was seen at. Null: it was not there. */
export interface Expected {
  readonly expected: number | null;
}

const SQL_OPERATION = `INSERT INTO operations (user_id, id, kind, grant_id, client, created_at, counts, undoes_op, subject)
  VALUES (?1, ?2, 'sync', ?3, ?4, ?5, '{}', NULL, NULL) ON CONFLICT DO NOTHING`;
const SQL_SPEND = `INSERT INTO import_days (day, rows_written) VALUES (?1, ?2)
  ON CONFLICT (day) DO UPDATE SET rows_written = rows_written + excluded.rows_written`;

/** All that one run of a sync writes to a side is one operation. */
export function operationStatement(
  d1: D1Database,
  userId: string,
  { id, grantId, client, now }: OperationInput,
): D1PreparedStatement {
  return d1.prepare(SQL_OPERATION).bind(userId, id, grantId, client, now);
}

/** Of a batch that is repeated, because its answer got lost, it counts twice: the quota is an estimate on the high side. */
export function spendStatement(d1: D1Database, now: number, rows: number): D1PreparedStatement {
  return d1.prepare(SQL_SPEND).bind(dayOf(now), rows + ROWS_WRITTEN.batch);
}

/** Versions by id. @param results of a batch whose last statement selects them */
export function writtenIn(results: readonly D1Result[]): Map<string, number> {
  // True because the last statement selects these columns.
  const rows = (results.at(-1)?.results ?? []) as { id: string; version: number }[];
  return new Map(rows.map(({ id, version }) => [id, version]));
}
