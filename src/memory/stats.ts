import { problemOf, type ChangeMark } from "../storage/backups.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import type { Tallies } from "../storage/tallies.ts";
import { openLabel } from "./memory.ts";

export interface AccountStats {
  readonly memories: {
    readonly active: number;
    readonly pending: number;
    readonly trashed: number;
    readonly byCategory: Counts;
    readonly bySource: Counts;
    readonly byClient: Counts;
    /** `2026-11`, oldest first. */
    readonly byMonth: Counts;
  };
  readonly conversations: {
    readonly total: number;
    readonly messages: number;
    readonly byPlatform: Counts;
  };
  /** Of ciphertext, without index and rows. */
  readonly bytes: number;
  readonly topTags: readonly { readonly tag: string; readonly count: number }[];
  readonly lastExportAt: number | null;
  readonly lastBackupAt: number | null;
  readonly lastVerifiedBackupAt: number | null;
  /** What is wrong with the newest backup; null: nothing known. */
  readonly backupProblem: string | null;
}

type Counts = Readonly<Record<string, number>>;

const TOP_TAGS = 10;
/** Of what is kept. Another one where `Tallies` is something else. */
const SHAPE = 1;

export async function accountStats(at: OpenAccount): Promise<AccountStats> {
  const counters = at.row;
  // Before anything is counted: what changes meanwhile is another state, and counted when it is asked for next.
  const [mark, newestBackup] = await Promise.all([
    at.backups.mark(),
    at.backups.newest("backup", ["finished", "failed"]),
  ]);
  const { memories: tallies, platforms } = await talliesOf(at, mark);
  const topTags = await Promise.all(
    tallies.tags.map(async (row) => ({ tag: await openLabel(at.keys, row), count: row.count })),
  );
  return {
    memories: {
      active: counters.memoriesActive,
      pending: counters.memoriesPending,
      trashed: counters.memoriesTrashed,
      byCategory: sumBy(tallies.groups, ({ category }) => category),
      bySource: sumBy(tallies.groups, ({ source }) => source),
      byClient: sumBy(tallies.groups, ({ client }) => client),
      byMonth: sumBy(tallies.groups, ({ month }) => month),
    },
    conversations: {
      total: counters.conversations,
      messages: counters.messages,
      byPlatform: sumBy(platforms, ({ name }) => name),
    },
    bytes: counters.bytes,
    topTags,
    lastExportAt: counters.lastExportAt,
    lastBackupAt: counters.lastBackupAt,
    lastVerifiedBackupAt: counters.lastVerifiedBackupAt,
    backupProblem: newestBackup?.state === "failed" ? problemOf(newestBackup) : null,
  };
}

async function talliesOf(at: OpenAccount, mark: ChangeMark): Promise<Tallies> {
  const { memoriesActive, memoriesPending, memoriesTrashed, conversations, messages, bytes } =
    at.row;
  // An import goes on under one operation: its counters tell.
  const counters = [
    memoriesActive,
    memoriesPending,
    memoriesTrashed,
    conversations,
    messages,
    bytes,
  ];
  const state = JSON.stringify([SHAPE, mark, ...counters]);
  const kept = at.keptTallies.read(state);
  if (kept !== null) return kept;
  const [memories, platforms] = await Promise.all([
    at.memories.tallies(TOP_TAGS),
    at.conversations.tally(),
  ]);
  const tallies = { memories, platforms };
  at.keptTallies.write(state, tallies);
  return tallies;
}

function sumBy<Row extends { readonly count: number }>(
  rows: readonly Row[],
  nameOf: (row: Row) => string,
): Counts {
  const sums = new Map<string, number>();
  for (const row of rows) sums.set(nameOf(row), (sums.get(nameOf(row)) ?? 0) + row.count);
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}
