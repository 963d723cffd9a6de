import type { Category, Source } from "../storage/closed-lists.ts";
import type { MemoryFilter } from "../storage/memories.ts";
import type { MemoryStatus } from "../storage/schema.ts";
import { labelToken } from "../vault/blind.ts";
import type { Keys } from "../vault/keys.ts";
import { cleanString, cleanTag } from "./memory.ts";

/** Filters as people give them: names, not tokens. */
export interface MemoryFilterNames {
  readonly tags?: readonly string[] | undefined;
  /** Whether `tags` means any of them (the default) or all. */
  readonly tagMatch?: "any" | "all" | undefined;
  readonly project?: string | undefined;
  readonly category?: Category | undefined;
  readonly source?: Source | undefined;
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
  const [tags, project] = await Promise.all([
    Promise.all((names.tags ?? []).map((tag) => labelToken(keys, "tag", cleanTag(tag)))),
    names.project === undefined
      ? null
      : labelToken(keys, "project", cleanString(names.project).trim()),
  ]);
  const all = [...(project === null ? [] : [project]), ...(names.tagMatch === "all" ? tags : [])];
  return {
    status,
    ...(liveAt === undefined ? {} : { liveAt }),
    ...(names.tagMatch === "all" || tags.length === 0 ? {} : { labelsAny: tags }),
    ...(all.length === 0 ? {} : { labelsAll: all }),
    ...(names.category === undefined ? {} : { category: names.category }),
    ...(names.source === undefined ? {} : { source: names.source }),
    ...(names.after === undefined ? {} : { after: names.after }),
    ...(names.before === undefined ? {} : { before: names.before }),
  };
}
