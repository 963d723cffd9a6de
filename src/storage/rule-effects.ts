/** How many memories a rule is about, without opening any. */
import { operationIdsFrom } from "../vault/ids.ts";
import type { Category } from "./closed-lists.ts";

export interface RuleMeasure {
  /** Times are milliseconds UTC. */
  readonly now: number;
  /** By category: what was saved or imported by then is older than it may become. */
  readonly savedBy: Readonly<Partial<Record<Category, number>>>;
  /** Categories whose memories wait, and since when they are looked at. */
  readonly waiting: { readonly categories: readonly Category[]; readonly since: number };
  /** Label tokens of tags. */
  readonly tags: readonly string[];
}

export interface RuleCounts {
  /** Pending, saved by assistants. */
  readonly pendingSaves: number;
  readonly pendingImports: number;
  /** Active, and past their date. */
  readonly expired: number;
  /** In use, and older than `savedBy`. */
  readonly older: number;
  /** In use, saved by assistants without being asked, in one of the categories that wait. */
  readonly wouldWait: number;
  /** Active, with one of the tags. */
  readonly tagged: number;
  /** Of these there were more rows than were read. */
  readonly partial: readonly PartialCount[];
}
/** Counts that stop at a limit, each at its own. */
export const PARTIAL_COUNTS = ["waiting", "expired", "would_hide", "would_wait", "tagged"] as const;
export type PartialCount = (typeof PARTIAL_COUNTS)[number];

export type RuleEffectStore = ReturnType<typeof openRuleEffects>;

interface Counted {
  /** That were read: of those beyond the limit only one. */
  readonly rows: number;
  readonly found: number;
}

// ?1 user, ?2 limit. Each walks an index, and the limit stands in front of every condition that the index does not know.
const BY_ASSISTANTS = "source IN ('mcp', 'api')";
const SQL_PENDING = `SELECT count(*) AS rows, coalesce(sum(${BY_ASSISTANTS}), 0) AS found FROM
  (SELECT source FROM memories WHERE user_id = ?1 AND status = 'pending' LIMIT ?2)`;
const SQL_EXPIRED = `SELECT count(*) AS rows, coalesce(sum(superseded_by IS NULL), 0) AS found FROM
  (SELECT superseded_by FROM memories INDEXED BY memories_by_expiry
  WHERE user_id = ?1 AND status = 'active' AND expires_at <= ?3 LIMIT ?2)`;
const LIVING = "superseded_by IS NULL AND (expires_at IS NULL OR expires_at > ?3)";
/**
 * ?3 now, ?4 ids of operations by category, ?5 the latest of the times. What was imported is counted from its import, and may be older
 * by itself, never younger. Files stay.
 */
const SQL_OLDER = `SELECT count(*) AS rows, coalesce(sum(created_op < (?4 ->> category) AND path_token IS NULL AND ${LIVING}), 0) AS found FROM
  (SELECT category, created_op, path_token, superseded_by, expires_at FROM memories INDEXED BY memories_by_time
  WHERE user_id = ?1 AND status = 'active' AND created_at <= ?5 ORDER BY created_at LIMIT ?2)`;
/** ?3 now, ?4 categories, ?5 since. Files never wait. */
const SQL_WOULD_WAIT = `SELECT count(*) AS rows, coalesce(sum(${BY_ASSISTANTS} AND NOT user_asked AND path_token IS NULL
    AND category IN (SELECT value FROM json_each(?4)) AND ${LIVING}), 0) AS found FROM
  (SELECT category, source, user_asked, path_token, superseded_by, expires_at FROM memories INDEXED BY memories_by_time
  WHERE user_id = ?1 AND status = 'active' AND created_at >= ?5 ORDER BY created_at DESC LIMIT ?2)`;
/** ?3 labels. */
const SQL_TAGGED = `SELECT coalesce(max(l.rows), 0) AS rows, count(DISTINCT m.seq) AS found FROM
  (SELECT seq, count(*) OVER () AS rows FROM (SELECT seq FROM memory_labels
    WHERE user_id = ?1 AND label IN (SELECT value FROM json_each(?3)) LIMIT ?2)) l
  LEFT JOIN memories m ON m.seq = l.seq AND m.status = 'active'`;

export function openRuleEffects(d1: D1Database, userId: string) {
  return {
    /** @param most rows that are read for each of the counts */
    async count({ now, savedBy, waiting, tags }: RuleMeasure, most: number): Promise<RuleCounts> {
      const limit = most + 1;
      const times = Object.values(savedBy);
      const asked = (sql: string, ...values: readonly (string | number)[]) =>
        d1.prepare(sql).bind(userId, limit, ...values);
      const results = await d1.batch<Counted>([
        asked(SQL_PENDING),
        asked(SQL_EXPIRED, now),
        // Without a time nothing is as old as that.
        asked(SQL_OLDER, now, JSON.stringify(operationsBy(savedBy)), Math.max(-1, ...times)),
        d1.prepare(SQL_WOULD_WAIT).bind(
          userId,
          // Where nothing waits, no row is read to find none.
          waiting.categories.length === 0 ? 0 : limit,
          now,
          JSON.stringify(waiting.categories),
          waiting.since,
        ),
        asked(SQL_TAGGED, JSON.stringify(tags)),
      ]);
      const all = results.map(({ results: [counted = NONE] }) => counted);
      const [pending, expired, older, wouldWait, tagged] = all;
      return {
        pendingSaves: found(pending),
        pendingImports: (pending?.rows ?? 0) - found(pending),
        expired: found(expired),
        older: found(older),
        wouldWait: found(wouldWait),
        tagged: found(tagged),
        // In the order of the statements.
        partial: PARTIAL_COUNTS.filter((_, at) => (all[at]?.rows ?? 0) >= limit),
      };
    },
  };
}

/** To ids that no operation of the time has reached. */
function operationsBy(savedBy: RuleMeasure["savedBy"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(savedBy).map(([category, time]) => [category, operationIdsFrom(time + 1)]),
  );
}

const NONE: Counted = { rows: 0, found: 0 };

function found(counted: Counted | undefined): number {
  return counted?.found ?? 0;
}
