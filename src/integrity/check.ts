/**
 * The integrity check: rows, earlier states, index, labels, counters and operations of one account agree, or what is derived is made to
 * agree again, and the rest is named. It goes part by part, each bounded by what the plan gives one request; where it stands is kept in
 * the account's row, so that anybody goes on with it.
 */
import { reportError } from "../log.ts";
import type { ChangeMark } from "../storage/backups.ts";
import type { PageOf, WalkedTable } from "../storage/integrity-pages.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { dayOf, userErrorOf, type Plan } from "../storage/plan.ts";
import { isSameMark, refuseWhileRestoring } from "../transfer/backup.ts";
import { checkConversations, checkMessages } from "./check-conversations.ts";
import { checkLabelled, checkLabelNames } from "./check-labels.ts";
import { checkMemories } from "./check-memories.ts";
import {
  checkConversationVersions,
  checkMemoryVersions,
  checkMessageVersions,
  checkOperations,
} from "./check-versions.ts";
import {
  LEFT,
  type CheckedPage,
  type Damage,
  type Kind,
  type Left,
  type Repaired,
} from "./damage.ts";

export interface IntegrityCheck {
  /** Milliseconds UTC. */
  readonly startedAt: number;
  /** Null: it goes on. */
  readonly finishedAt: number | null;
  /** Where it goes on. */
  readonly phase: Phase;
  readonly after: readonly (string | number)[];
  /** Rows looked at, by phase. */
  readonly checked: Readonly<Partial<Record<Phase, number>>>;
  readonly repaired: Readonly<Partial<Record<Repaired, number>>>;
  readonly left: Readonly<Partial<Record<Left, number>>>;
  /** The first of them, in the order of phases; what was left comes before what was repaired. */
  readonly named: readonly Damage[];
  /** What the check before came to, which is told until this one has ended. */
  readonly last?: FinishedCheck | null;
  /** What the account held when it began. Earlier versions of Cofio did not note it, nor what follows. */
  readonly mark?: ChangeMark;
  /** Numbers of the indexes that were looked at, whosever they are. */
  readonly walked?: number;
}

export interface FinishedCheck {
  readonly finishedAt: number;
  readonly repaired: number;
  readonly left: number;
}

/** In their order: names go before the memories that bring them back, counters come last. */
export const PHASES = [
  "label_names",
  "memories",
  "memory_versions",
  "labels",
  "conversations",
  "conversation_versions",
  "messages",
  "message_versions",
  "operations",
  "memory_index",
  "message_index",
  "counters",
] as const;
export type Phase = (typeof PHASES)[number];

/** They stand in the account's row, which every request reads. Arbitrary. */
const MAX_NAMED = { left: 50, repaired: 20 };
/** A page asks up to 13 statements where it repairs, and an invocation of the free plan has 50. */
const PAGES_A_PART = 3;
/** Arbitrary. Of large rows a page has fewer. */
const MAX_ROWS = 200;
/** Each comes with its memory's text, which may be a file of 100 KiB. */
const MAX_LABELLED = 40;
/** After so many days an account in use is checked by itself although nothing changed: disks and databases err too. As backups are rehearsed. */
const DAYS_BETWEEN = 7;
/** Rows that D1 reads for each row that is checked, with its entry, operations, neighbours and sums: some 10 (`test/integrity/check.test.ts` meters them); and for each number of an index. */
const READS = { aRow: 12, aNumber: 2 };
/** Numbers of index entries, which are looked up without a row's work. Arbitrary. */
const ENTRIES_A_PAGE = 5_000;

export function readCheck(text: string | null): IntegrityCheck | null {
  // True because `checkPart` alone writes it.
  return text === null ? null : (JSON.parse(text) as IntegrityCheck);
}

/**
 * Goes on with the check that is under way, or begins one.
 * @throws UserError version_conflict while a backup is restored, which takes tables one after the other
 */
export async function checkPart(at: OpenAccount, now: number): Promise<IntegrityCheck> {
  await refuseWhileRestoring(at.backups, now);
  const seen = at.row.integrity;
  const before = readCheck(seen);
  let check =
    before === null || before.finishedAt !== null
      ? begun(now, before, await at.backups.mark())
      : before;
  // Opening a row and reading its words takes 110–160 µs, and an invocation of the free plan has 10 ms.
  const limit = Math.min(at.plan.batch.messages, MAX_ROWS);
  for (let [page, rows] = [0, 0]; page < PAGES_A_PART && rows < limit; page++) {
    const checked = await checkOrPass(at, check, { limit: limit - rows, now });
    check = after(check, checked, now);
    if (check.finishedAt !== null) break;
    rows += checked.rows;
  }
  // One that began meanwhile: what was read is of two accounts.
  await refuseWhileRestoring(at.backups, now);
  if (await at.integrity.keep(seen, JSON.stringify(check))) return check;
  // Another request went on with it meanwhile; what this one repaired is repaired.
  return readCheck(await at.integrity.kept()) ?? check;
}

/** Whether anything may be otherwise than the last check that ended left it. What it named and left it would find again. */
export async function hasUnchecked(
  at: Pick<OpenAccount, "backups">,
  check: IntegrityCheck | null,
): Promise<boolean> {
  if (check === null || check.finishedAt === null || check.mark === undefined) return true;
  if ((check.left.unchecked ?? 0) > 0) return true;
  // A repair is a change, too: it is looked at once more.
  return !isSameMark(check.mark, await at.backups.mark());
}

/** Whether the object is to check by itself this night: one that is under way, what changed as often as the plan has it, and after a week. */
export function isCheckDue(
  check: IntegrityCheck | null,
  {
    now,
    isChanged,
    plan,
  }: { readonly now: number; readonly isChanged: boolean; readonly plan: Plan },
): boolean {
  if (check === null || check.finishedAt === null) return true;
  // Each night is another day; they are not to the second as long after one another.
  const nights = dayOf(now) - dayOf(check.startedAt);
  return nights >= DAYS_BETWEEN || (isChanged && nights >= nightsBetween(check, plan));
}

/** How many rows D1 reads for such a check, at most. */
export function readsOf({
  checked,
  walked = 0,
}: Pick<IntegrityCheck, "checked" | "walked">): number {
  return READS.aRow * sumOf(checked) + READS.aNumber * walked;
}

function nightsBetween(check: IntegrityCheck, { checkReads }: Plan): number {
  return checkReads === null ? 1 : Math.max(1, Math.ceil(readsOf(check) / checkReads));
}

/** How many were found, of one kind of damage or the other. */
export function sumOf(counts: Readonly<Partial<Record<string, number>>>): number {
  return Object.values(counts).reduce<number>((sum, count = 0) => sum + count, 0);
}

/** What the last check that ended came to; null: none has. */
export function finishedCheck(check: IntegrityCheck | null): FinishedCheck | null {
  if (check === null) return null;
  const { finishedAt, repaired, left, last = null } = check;
  if (finishedAt === null) return last;
  return { finishedAt, repaired: sumOf(repaired), left: sumOf(left) };
}

function begun(now: number, before: IntegrityCheck | null, mark: ChangeMark): IntegrityCheck {
  const [phase] = PHASES;
  const nothing = { checked: {}, repaired: {}, left: {}, named: [], walked: 0 };
  const last = finishedCheck(before);
  return { startedAt: now, finishedAt: null, phase, after: [], ...nothing, last, mark };
}

function after(
  check: IntegrityCheck,
  { rows, walked = 0, next, repaired, left }: CheckedPage,
  now: number,
): IntegrityCheck {
  const { phase } = check;
  const following = PHASES[PHASES.indexOf(phase) + 1];
  const isLeft = ({ what }: Damage) => LEFT.some((one) => one === what);
  const [named, others] = [check.named.filter(isLeft), check.named.filter((one) => !isLeft(one))];
  return {
    ...check,
    checked: { ...check.checked, [phase]: (check.checked[phase] ?? 0) + rows },
    walked: (check.walked ?? 0) + walked,
    repaired: withCounts(check.repaired, repaired),
    left: withCounts(check.left, left),
    named: [
      ...[...named, ...left].slice(0, MAX_NAMED.left),
      ...[...others, ...repaired].slice(0, MAX_NAMED.repaired),
    ],
    ...(next !== null
      ? { after: next }
      : following !== undefined
        ? { phase: following, after: [] }
        : { after: [], finishedAt: now }),
  };
}

function withCounts<What extends string>(
  counts: Readonly<Partial<Record<What, number>>>,
  found: readonly Damage<What>[],
): Readonly<Partial<Record<What, number>>> {
  const sums: Partial<Record<What, number>> = { ...counts };
  for (const { what } of found) sums[what] = (sums[what] ?? 0) + 1;
  return sums;
}

/** What a phase walks, and of what kind its rows are; of the others nothing can be passed over. */
const WALKED: Readonly<
  Partial<Record<Phase, { readonly table: WalkedTable; readonly kind: Kind }>>
> = {
  label_names: { table: "labels", kind: "label" },
  memories: { table: "memories", kind: "memory" },
  memory_versions: { table: "memory_versions", kind: "memory_version" },
  labels: { table: "memory_labels", kind: "label" },
  conversations: { table: "conversations", kind: "conversation" },
  conversation_versions: { table: "conversation_versions", kind: "conversation_version" },
  messages: { table: "messages", kind: "message" },
  message_versions: { table: "message_versions", kind: "message_version" },
  operations: { table: "operations", kind: "operation" },
};

/** A page that fails is tried again with fewer rows, and a single row that fails is named and passed over: nothing stops a check for ever. */
async function checkOrPass(
  at: OpenAccount,
  check: IntegrityCheck,
  { limit, now }: { readonly limit: number; readonly now: number },
): Promise<CheckedPage> {
  try {
    return await checkPage(at, check, { limit, now });
  } catch (error) {
    const walked = WALKED[check.phase];
    if (userErrorOf(error) !== null || walked === undefined) throw error;
    if (limit > 1) return checkOrPass(at, check, { limit: Math.ceil(limit / FEWER), now });
    reportError(`integrity check of ${check.phase}`, error);
    const key = await at.integrity.firstKey(walked.table, check.after);
    if (key === null) return { rows: 0, next: null, repaired: [], left: [] };
    const left = [{ what: "unchecked", kind: walked.kind, id: key.join("/") } as const];
    return { rows: 1, next: key, repaired: [], left };
  }
}

/** Arbitrary: a page of 40 comes down to the one row in three goes. */
const FEWER = 8;

function checkPage(
  at: OpenAccount,
  { phase, after: place, startedAt }: IntegrityCheck,
  { limit, now }: { readonly limit: number; readonly now: number },
): Promise<CheckedPage> {
  const page: PageOf = { after: place, limit };
  switch (phase) {
    case "label_names":
      return checkLabelNames(at, page);
    case "memories":
      return checkMemories(at, page, { seed: startedAt % SEEDS, now });
    case "memory_versions":
      return checkMemoryVersions(at, page);
    case "labels":
      return checkLabelled(at, { after: place, limit: Math.min(limit, MAX_LABELLED) });
    case "conversations":
      return checkConversations(at, page);
    case "conversation_versions":
      return checkConversationVersions(at, page);
    case "messages":
      return checkMessages(at, page, startedAt % SEEDS);
    case "message_versions":
      return checkMessageVersions(at, page);
    case "operations":
      return checkOperations(at, page);
    case "memory_index":
      return checkEntries(at, "memories", place);
    case "message_index":
      return checkEntries(at, "messages", place);
    case "counters":
      return checkCounters(at);
  }
}

/** Each check looks other tokens up in the index. Arbitrary: more than most columns have. */
const SEEDS = 9_973;

/** Entries without a row are nobody's: whoever looks takes them out. */
async function checkEntries(
  at: OpenAccount,
  index: "memories" | "messages",
  [from = 0]: readonly (string | number)[],
): Promise<CheckedPage> {
  const start = Number(from);
  const upTo = start + ENTRIES_A_PAGE;
  const { dropped, highest, isEnd } = await at.integrity.dropRowless(index, { after: start, upTo });
  const repaired = Array.from({ length: dropped }, () => ({
    what: "index_entry" as const,
    kind: "account" as const,
    id: `${index}_fts`,
  }));
  const walked = Math.max(0, Math.min(highest, upTo) - start);
  return { rows: 0, walked, next: isEnd ? null : [upTo], repaired, left: [] };
}

async function checkCounters(at: OpenAccount): Promise<CheckedPage> {
  const wrong = await at.integrity.wrongCounters();
  if (wrong.length > 0) await at.integrity.recount();
  const repaired = wrong.map((id) => ({ what: "counter", kind: "account", id }) as const);
  return { rows: 1, next: null, repaired, left: [] };
}
