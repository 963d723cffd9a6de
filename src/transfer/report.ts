/** The report of an import: it adds up, per kind and in all. */
import { isRuleAction, type RuleAction } from "./import-notes.ts";
import { MAX_EXAMPLES } from "./batches.ts";
import type { ItemCounts, RecognisedFile } from "./read.ts";
import type { ItemKind, SkipReason } from "./records.ts";

export interface KindCounts {
  found: number;
  new: number;
  updated: number;
  unchanged: number;
  skipped: number;
}

export interface SkippedReason {
  readonly kind: ItemKind;
  readonly reason: SkipReason;
  readonly count: number;
  /** At most three. */
  readonly examples: readonly string[];
}

export interface ImportReport {
  readonly byKind: Readonly<Record<ItemKind, KindCounts>>;
  readonly skippedReasons: readonly SkippedReason[];
  /** At most a hundred, those that were not read first. */
  readonly files: readonly RecognisedFile[];
  /** How many others there are. */
  readonly moreFiles?: number;
  /** What the person's rules did to how many memories. Absent from older reports. */
  readonly ruleActions?: Readonly<Partial<Record<RuleAction, number>>>;
}

export interface Tally {
  add(kind: ItemKind, outcome: "new" | "updated" | "unchanged", count?: number): void;
  skip(
    kind: ItemKind,
    reason: SkipReason,
    count: number,
    examples?: readonly (string | undefined)[],
  ): void;
  /** A rule has acted on a memory. */
  act(action: RuleAction, count?: number): void;
  report(): ImportReport;
}

/** @param totals items in the files, known before the first record */
export function emptyReport(totals: ItemCounts, files: readonly RecognisedFile[]): ImportReport {
  const start = (found: number): KindCounts => ({
    found,
    new: 0,
    updated: 0,
    unchanged: 0,
    skipped: 0,
  });
  return {
    byKind: {
      conversation: start(totals.conversation),
      message: start(totals.message),
      memory: start(totals.memory),
    },
    skippedReasons: [],
    ...shown(files),
    ruleActions: {},
  };
}

/** The report is stored with each batch, and a value has 2 MB. Both arbitrary below that. */
const MAX_FILES = 100;
const MAX_NAME_CHARS = 200;

function shown(files: readonly RecognisedFile[]): Pick<ImportReport, "files" | "moreFiles"> {
  const isRead = ({ outcome }: RecognisedFile) => outcome === "read";
  const first = [...files.filter((file) => !isRead(file)), ...files.filter(isRead)];
  const more = first.length - MAX_FILES;
  return {
    files: (more > 0 ? first.slice(0, MAX_FILES) : files).map((file) => ({
      ...file,
      name: file.name.slice(0, MAX_NAME_CHARS).toWellFormed(),
    })),
    ...(more > 0 ? { moreFiles: more } : {}),
  };
}

/** Goes on counting where a report stands. */
export function openTally(from: ImportReport): Tally {
  const { conversation, message, memory } = from.byKind;
  const byKind = {
    conversation: { ...conversation },
    message: { ...message },
    memory: { ...memory },
  };
  const reasons = new Map<string, SkippedReason>(
    from.skippedReasons.map((one) => [`${one.kind} ${one.reason}`, { ...one }]),
  );
  const actions: Partial<Record<RuleAction, number>> = { ...from.ruleActions };
  const act = (action: RuleAction, count = 1) => {
    if (count > 0) actions[action] = (actions[action] ?? 0) + count;
  };
  return {
    add(kind, outcome, count = 1) {
      byKind[kind][outcome] += count;
    },
    skip(kind, reason, count, examples = []) {
      if (count === 0) return;
      byKind[kind].skipped += count;
      const key = `${kind} ${reason}`;
      const known = reasons.get(key);
      const shown = [...(known?.examples ?? []), ...examples.filter((text) => text !== undefined)];
      reasons.set(key, {
        kind,
        reason,
        count: (known?.count ?? 0) + count,
        examples: shown.slice(0, MAX_EXAMPLES),
      });
      if (isRuleAction(reason)) act(reason, count);
    },
    act,
    report: () => ({
      byKind,
      skippedReasons: [...reasons.values()],
      files: from.files,
      ...(from.moreFiles === undefined ? {} : { moreFiles: from.moreFiles }),
      ruleActions: actions,
    }),
  };
}

/** Everything in one sum. `remaining`: found and not yet dealt with. */
export function sumOf(report: ImportReport): KindCounts & { readonly remaining: number } {
  const sum: KindCounts = { found: 0, new: 0, updated: 0, unchanged: 0, skipped: 0 };
  for (const counts of Object.values(report.byKind)) {
    sum.found += counts.found;
    sum.new += counts.new;
    sum.updated += counts.updated;
    sum.unchanged += counts.unchanged;
    sum.skipped += counts.skipped;
  }
  return { ...sum, remaining: sum.found - sum.new - sum.updated - sum.unchanged - sum.skipped };
}
