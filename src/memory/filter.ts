import { memberNamed, SOURCES, type Category, type Source } from "../storage/closed-lists.ts";
import type { MemoryFilter } from "../storage/memory-filter.ts";
import type { MemoryStatus } from "../storage/schema.ts";
import { datesOfSpan } from "../search/query-dates.ts";
import { blindTokens, labelToken } from "../vault/blind.ts";
import type { Keys } from "../vault/keys.ts";
import { categoryToken, cleanString, cleanTag, sourceToken } from "./memory.ts";

/** Filters as people give them: names, not tokens. */
export interface MemoryFilterNames {
  readonly tags?: readonly string[] | undefined;
  /** Whether `tags` means any of them (the default) or all. */
  readonly tagMatch?: "any" | "all" | undefined;
  readonly project?: string | undefined;
  readonly category?: Category | undefined;
  readonly source?: Source | undefined;
  /** Tags that a memory has beside those; projects likewise. */
  readonly alsoTags?: readonly string[] | undefined;
  readonly alsoProjects?: readonly string[] | undefined;
  /** Its whole name. */
  readonly client?: string | undefined;
  /** Platforms, or parts of clients' names. */
  readonly from?: readonly string[] | undefined;
  /** Milliseconds UTC, inclusive. */
  readonly after?: number | undefined;
  /** Milliseconds UTC, exclusive. */
  readonly before?: number | undefined;
}

/** @param liveAt leave out what was superseded or had expired by then */
export async function resolveFilter(
  keys: Keys,
  names: MemoryFilterNames,
  status: MemoryStatus,
  liveAt?: number,
): Promise<MemoryFilter> {
  const projects = [
    ...(names.project === undefined ? [] : [names.project]),
    ...(names.alsoProjects ?? []),
  ];
  const [tags, alsoTags, projectLabels] = await Promise.all([
    Promise.all((names.tags ?? []).map((tag) => labelToken(keys, "tag", cleanTag(tag)))),
    Promise.all((names.alsoTags ?? []).map((tag) => labelToken(keys, "tag", cleanTag(tag)))),
    Promise.all(projects.map((name) => labelToken(keys, "project", cleanString(name).trim()))),
  ]);
  const all = [...projectLabels, ...alsoTags, ...(names.tagMatch === "all" ? tags : [])];
  return {
    status,
    ...(liveAt === undefined ? {} : { liveAt }),
    ...(names.tagMatch === "all" || tags.length === 0 ? {} : { labelsAny: tags }),
    ...(all.length === 0 ? {} : { labelsAll: all }),
    ...(names.category === undefined ? {} : { category: names.category }),
    ...(names.source === undefined ? {} : { source: names.source }),
    ...(names.client === undefined ? {} : { client: names.client }),
    ...(names.from === undefined || names.from.length === 0
      ? {}
      : { from: names.from.map((client) => ({ client, source: memberNamed(SOURCES, client) })) }),
    ...(names.after === undefined ? {} : { after: names.after }),
    ...(names.before === undefined ? {} : { before: names.before }),
  };
}

/**
 * What a filter means for the index: for each condition the blind tokens of which a row holds one. Every row that passes the filter
 * passes these too, so FTS5 need not score rows that the filter would drop.
 * `now`: milliseconds UTC.
 */
export async function requiredTokens(
  keys: Keys,
  filter: MemoryFilter,
  { timeZone, now }: { readonly timeZone: string; readonly now: number },
): Promise<string[][]> {
  const dates =
    filter.after === undefined
      ? null
      : // The rows' days are those of the zone that the account had when they were saved.
        datesOfSpan(
          { start: filter.after - ZONES_APART_MS, end: (filter.before ?? now) + ZONES_APART_MS },
          timeZone,
        );
  const plain = [
    ...(filter.category === undefined ? [] : [[categoryToken(filter.category)]]),
    ...(filter.source === undefined ? [] : [[sourceToken(filter.source)]]),
    ...(dates === null ? [] : [dates]),
  ];
  return [
    ...(await Promise.all(plain.map((tokens) => blindTokens(keys, tokens)))),
    ...(filter.labelsAll ?? []).map((label) => [label]),
    ...(filter.labelsAny === undefined ? [] : [[...filter.labelsAny]]),
  ];
}

/** From UTC−12 to UTC+14. */
const ZONES_APART_MS = 26 * 3_600_000;
