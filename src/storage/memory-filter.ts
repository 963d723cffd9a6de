/** Which of a user's memories are meant, as SQL. */
import { eq, gte, inArray, isNull, lt, sql, type SQL } from "drizzle-orm";
import type { Category, Source } from "./closed-lists.ts";
import { holdsNoneOf } from "./full-text.ts";
import { memories, type MemoryStatus } from "./schema.ts";

export interface MemoryFilter {
  readonly status: MemoryStatus;
  /** Leave out what was superseded or has expired by this time. */
  readonly liveAt?: number;
  readonly labelsAny?: readonly string[];
  readonly labelsAll?: readonly string[];
  readonly category?: Category;
  /** Any of these. */
  readonly categories?: readonly Category[];
  readonly source?: Source;
  /** The whole name of who saved it. */
  readonly client?: string;
  /** Each names the platform, or is part of the client's name in any case. */
  readonly from?: readonly { readonly source: Source | null; readonly client: string }[];
  /** Its text holds all blind tokens of none of these. */
  readonly without?: readonly (readonly string[])[];
  /** Milliseconds UTC; `after` inclusive, `before` exclusive; both about `created_at`. */
  readonly after?: number;
  readonly before?: number;
}

/** The first two are always the user and the status. */
export function conditionsOf(userId: string, filter: MemoryFilter): SQL[] {
  const conditions: (SQL | undefined)[] = [
    eq(memories.userId, userId),
    eq(memories.status, filter.status),
    filter.category === undefined ? undefined : eq(memories.category, filter.category),
    filter.categories === undefined
      ? undefined
      : inArray(memories.category, [...filter.categories]),
    filter.source === undefined ? undefined : eq(memories.source, filter.source),
    filter.client === undefined ? undefined : eq(memories.client, filter.client),
    ...(filter.from ?? []).map(
      // SQLite's lower() knows ASCII only.
      ({ source, client }) =>
        sql`(${memories.source} = ${source} OR instr(lower(${memories.client}), ${client.toLowerCase()}) OR instr(${memories.client}, ${client}))`,
    ),
    filter.without === undefined || filter.without.length === 0
      ? undefined
      : holdsNoneOf(memories.tokens, filter.without),
    filter.after === undefined ? undefined : gte(memories.createdAt, filter.after),
    filter.before === undefined ? undefined : lt(memories.createdAt, filter.before),
    ...(filter.labelsAll ?? []).map((label) => hasLabel(userId, [label])),
    filter.labelsAny === undefined || filter.labelsAny.length === 0
      ? undefined
      : hasLabel(userId, filter.labelsAny),
  ];
  if (filter.liveAt !== undefined) {
    conditions.push(
      isNull(memories.supersededBy),
      sql`(${memories.expiresAt} IS NULL OR ${memories.expiresAt} > ${filter.liveAt})`,
    );
  }
  return conditions.filter((condition) => condition !== undefined);
}

function hasLabel(userId: string, tokens: readonly string[]): SQL {
  return sql`EXISTS (SELECT 1 FROM memory_labels ml WHERE ml.user_id = ${userId}
    AND ml.label IN (SELECT value FROM json_each(${JSON.stringify(tokens)})) AND ml.seq = ${memories.seq})`;
}
