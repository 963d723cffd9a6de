import type { OpenAccount } from "../storage/open-account.ts";
import { openLabel } from "./memory.ts";

export interface NamedLabel {
  readonly name: string;
  /** Memories that have it, those in the trash left out. */
  readonly count: number;
}

/** Tags and projects in use, the most used first. @param limit of each kind */
export async function labelsInUse(
  at: OpenAccount,
  limit: number,
): Promise<{ readonly tags: NamedLabel[]; readonly projects: NamedLabel[] }> {
  const { tags, projects } = await at.memories.labelNames(limit);
  const named = (rows: typeof tags): Promise<NamedLabel[]> =>
    Promise.all(
      rows.map(async (row) => ({ name: await openLabel(at.keys, row), count: row.count })),
    );
  const [namedTags, namedProjects] = await Promise.all([named(tags), named(projects)]);
  return { tags: namedTags, projects: namedProjects };
}
