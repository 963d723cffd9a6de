/**
 * Makes two accounts alike: what is new on either side is copied to the other, versions included, so that nothing is lost and a conflict keeps
 * both texts. Client code, as `send.ts`: it holds ids and digests of everything, and texts of a group of items at a time. Each write says
 * which version it was made for, so a sync that broke off anywhere is finished by another one.
 */
import { nextDay } from "../storage/plan.ts";
import { ImportRefused, pauseUntil, persist, type ApiAnswer, type SendOptions } from "./send.ts";
import {
  changesOf,
  judge,
  pairsOf,
  seenAt,
  setBack,
  type BasePair,
  type Finding,
  type Pair,
  type SyncBase,
} from "./sync-pairs.ts";
import type { ArchiveLine, ConversationLine, MemoryLine } from "./archive-lines.ts";
import type { Closing, Conflict, IdMaps, PairIds, Plan } from "./sync-plan.ts";
import {
  conversationLinesOf,
  planConversation,
  type ConversationLines,
} from "./sync-plan-conversation.ts";
import { memoryLinesOf, planMemory } from "./sync-plan-memory.ts";
import {
  CONVERSATION_UNITS,
  list,
  MEMORY_UNITS,
  readLines,
  writeUnits,
  type Outcomes,
  type Side,
  type UnitsOf,
} from "./sync-requests.ts";
import { storeDigest } from "./sync-states.ts";
import type {
  ConversationUnit,
  MemoryUnit,
  SyncItem,
  SyncKind,
  SyncStart,
  UnitOutcome,
} from "./sync-wire.ts";

export type SideName = "here" | "there";

export interface SyncOptions {
  /** Calls the API of a side: `path` below `/api/sync`, GET without a body. Rejects when there is no connection. */
  readonly call: (side: SideName, path: string, body?: object) => Promise<ApiAnswer>;
  /** What an earlier sync kept; one of other accounts is ignored. */
  readonly base: SyncBase | null;
  /** Keeps what is alike by now: at the end, and also when the sync breaks off. */
  readonly keepBase: (base: SyncBase) => void;
  /** Only tell what would be done. */
  readonly dryRun: boolean;
  /** Also where much of a side would go to the trash, because it is gone from the other one. */
  readonly trashMore: boolean;
  readonly onProgress: (progress: SyncProgress) => void;
  readonly onDelay: SendOptions["onDelay"];
  readonly signal: AbortSignal;
  /** For the trash. */
  readonly now: () => number;
}

export interface SyncProgress {
  readonly phase: "listing" | "copying" | "waiting_quota";
  readonly kind: SyncKind;
  readonly done: number;
  /** Of items that may differ. */
  readonly total: number;
  /** Milliseconds UTC: when a quota is there again. */
  readonly resumeAt: number | null;
}

/** What was written to a side. */
export interface SideCounts {
  copied: number;
  changed: number;
  trashed: number;
}

export interface KindReport {
  readonly here: SideCounts;
  readonly there: SideCounts;
  /** Alike before. */
  unchanged: number;
}

export interface LeftSyncItem {
  readonly kind: SyncKind;
  readonly id: string;
  readonly side: SideName;
  /** `clash`: the sides have different things of one id. */
  readonly reason: Exclude<UnitOutcome, "written"> | "clash";
}

export interface Withheld {
  readonly kind: SyncKind;
  readonly side: SideName;
  /** Gone for good from the other side. */
  readonly items: number;
  /** That the side has in use. */
  readonly of: number;
}

export interface SyncReport {
  readonly dry_run?: true;
  readonly memory: KindReport;
  readonly conversation: KindReport;
  readonly conflicts: readonly {
    readonly kind: SyncKind;
    readonly id: string;
    readonly name: string;
    /** Whose state stays; the other one is an earlier version on both sides. `path`: both are files at one place, and this one is in the trash. */
    readonly kept: SideName | "path";
  }[];
  readonly left: readonly LeftSyncItem[];
  /** What would have gone to the trash of a side, and is too much to be taken for meant. */
  readonly withheld: readonly Withheld[];
  /** By which each side's part is undone; null where nothing was written. */
  readonly operations: Readonly<Record<SideName, string | null>>;
}

/** @throws ImportRefused what a side said; the signal's reason */
export async function sync(options: SyncOptions): Promise<SyncReport> {
  const progress = openProgress(options);
  const [here, there] = [
    await openSide(options, "here", progress.wait),
    await openSide(options, "there", progress.wait),
  ];
  const run = openRun(options, { here, there }, progress.show);
  try {
    for (const kind of ["memory", "conversation"] as const) await syncKind(run, kind);
  } finally {
    if (!options.dryRun) options.keepBase(run.base());
  }
  return run.report();
}

function openProgress({ onProgress, now, signal }: SyncOptions) {
  let shown: SyncProgress = { phase: "listing", kind: "memory", done: 0, total: 0, resumeAt: null };
  return {
    show: (progress: Omit<SyncProgress, "resumeAt">) => {
      shown = { ...progress, resumeAt: null };
      onProgress(shown);
    },
    wait: async (until: number) => {
      onProgress({ ...shown, phase: "waiting_quota", resumeAt: until });
      await pauseUntil(until, now(), signal);
    },
  };
}

async function openSide(options: SyncOptions, name: SideName, wait: Side["wait"]): Promise<Side> {
  const { call, onDelay, signal, base } = options;
  const after = base?.operations[name] ?? undefined;
  const ask = async (path: string, body?: object): Promise<unknown> => {
    // True because it gets the body from here.
    const sending: Pick<SendOptions, "call"> = {
      call: (to, sent) => call(name, to, sent as object | undefined),
    };
    for (;;) {
      try {
        return await persist({ ...sending, onDelay, signal }, path, body);
      } catch (error) {
        // The plan's day is used up: nothing can be read any more, not even by the one who asks when there is more. An account that is full
        // says no time: waiting brings it no room.
        const isForToday =
          error instanceof ImportRefused &&
          error.code === "limit_reached" &&
          error.retryAfterSeconds !== null;
        if (!isForToday) throw error;
        await wait(nextDay(options.now()));
      }
    }
  };
  // In the shape that `http/sync.ts` answers.
  return { start: (await ask("/begin", { after })) as SyncStart, ask, wait, signal };
}

type Run = ReturnType<typeof openRun>;

function openRun(
  options: SyncOptions,
  sides: Readonly<Record<SideName, Side>>,
  show: (progress: Omit<SyncProgress, "resumeAt">) => void,
) {
  const accounts = { here: sides.here.start.account, there: sides.there.start.account };
  const { base } = options;
  const isOurs = base?.here === accounts.here && base.there === accounts.there;
  const goesOn = sides.here.start.goes_on && sides.there.start.goes_on;
  const before = (kind: SyncKind): readonly BasePair[] => {
    if (!isOurs) return [];
    return goesOn ? base[kind] : base[kind].map(setBack);
  };
  // As it was, until the lists of a kind are there.
  const known: Record<SyncKind, () => readonly BasePair[]> = {
    memory: () => before("memory"),
    conversation: () => before("conversation"),
  };
  const kinds = { memory: emptyKind(), conversation: emptyKind() };
  const conflicts: SyncReport["conflicts"][number][] = [];
  const left: LeftSyncItem[] = [];
  const withheld: Withheld[] = [];
  const hasWritten = { here: false, there: false };
  const lastOn = (name: SideName) => {
    const { operation_id, last_operation } = sides[name].start;
    return hasWritten[name] ? operation_id : last_operation;
  };
  return {
    options,
    sides,
    known,
    kinds,
    conflicts,
    left,
    withheld,
    hasWritten,
    show,
    base: (): SyncBase => ({
      ...accounts,
      operations: { here: lastOn("here"), there: lastOn("there") },
      memory: known.memory(),
      conversation: known.conversation(),
    }),
    report: (): SyncReport => ({
      ...(options.dryRun ? { dry_run: true } : {}),
      ...kinds,
      conflicts,
      left,
      withheld,
      operations: {
        here: hasWritten.here ? sides.here.start.operation_id : null,
        there: hasWritten.there ? sides.there.start.operation_id : null,
      },
    }),
  };
}

function emptyKind(): KindReport {
  const none = () => ({ copied: 0, changed: 0, trashed: 0 });
  return { here: none(), there: none(), unchanged: 0 };
}

interface Task {
  readonly pair: Pair;
  readonly finding: Finding;
  readonly ids: PairIds;
}

/** What is alike, which ids name the same things, and what became of those that were brought together. */
interface Book {
  readonly maps: IdMaps;
  readonly remember: (ids: PairIds, here: string, there: string) => void;
  readonly states: Map<Pair, MemoryLine | ConversationLine>;
  /** Of those that may have to be tried again: one that was written to one side is none any more. */
  readonly conflicts: Map<Pair, Conflict>;
}

async function syncKind(run: Run, kind: SyncKind): Promise<void> {
  const { sides, known, kinds } = run;
  run.show({ phase: "listing", kind, done: 0, total: 0 });
  const [here, there] = [await list(sides.here, kind), await list(sides.there, kind)];
  const pairs = pairsOf(kind, { here, there }, known[kind]());
  const alike = new Map<string, BasePair>();
  const remember: Book["remember"] = (ids, hereAt, thereAt) => {
    alike.set(`${ids.here} ${ids.there}`, [ids.here, ids.there, hereAt, thereAt]);
  };
  for (const { base } of pairs) if (base !== null) remember(pairIdsOf(base), base[2], base[3]);
  run.known[kind] = () => [...alike.values()];
  const book: Book = { maps: idMapsOf(pairs), remember, states: new Map(), conflicts: new Map() };

  const found: Task[] = [];
  for (const pair of pairs) {
    const finding = judge(pair);
    const ids = idsOf(pair);
    if (finding === "same" && pair.here !== null && pair.there !== null) {
      kinds[kind].unchanged += 1;
      remember(ids, seenAt(pair.here), seenAt(pair.there));
    } else if (finding === "clash") {
      run.left.push({ kind, id: ids.here, side: "there", reason: "clash" });
    } else if (finding !== "gone_in_trash") {
      found.push({ pair, finding, ids });
    }
  }
  const tasks = withoutMuchTrash(run, found, { here, there });
  let blocked = await settleAll(run, tasks, book);
  // Files that took each other's places are written together. Of two that want one place the one that was changed first gives way.
  while (blocked.length > 0) {
    const still = await settleAll(run, blocked, book);
    const [first, ...others] = still.toSorted((one, other) => changedAt(one) - changedAt(other));
    if (still.length === blocked.length && first !== undefined) {
      await settleAll(run, [{ ...first, finding: "no_place" }], book);
      blocked = others;
    } else blocked = still;
  }
  await settleAll(run, await desertedStores(pairs, book), book);
}

/** Arbitrary: more than is trashed in passing, and less than what somebody would miss. */
const MUCH_GONE = { items: 20, share: 1 / 4 };

/** A side that lost much at once may have been emptied or exchanged, which no person would repeat on the other one by a sync. */
function withoutMuchTrash(
  { options, withheld }: Run,
  tasks: readonly Task[],
  items: Readonly<Record<SideName, readonly SyncItem[]>>,
): Task[] {
  const held = new Set<Finding>();
  for (const side of ["here", "there"] as const) {
    const finding = side === "here" ? "gone_there" : "gone_here";
    const [first, ...others] = tasks.filter((task) => task.finding === finding);
    if (options.trashMore || first === undefined) continue;
    const { kind } = first.pair;
    const gone = 1 + others.length;
    const of = items[side].filter(({ status }) => status !== "trashed").length;
    if (gone < MUCH_GONE.items || gone < of * MUCH_GONE.share) continue;
    held.add(finding);
    withheld.push({ kind, side, items: gone, of });
  }
  return tasks.filter(({ finding }) => !held.has(finding));
}

/** Roots in the trash of stores that have files again, because those were changed on one side while the other deleted the store. */
async function desertedStores(pairs: readonly Pair[], { states }: Book): Promise<Task[]> {
  const inUse = new Set<string>();
  for (const pair of pairs) {
    const line = states.get(pair);
    // What this sync left alone may have been settled by one that broke off before it came here.
    const listed = pair.here?.store ?? pair.there?.store ?? null;
    const store = line === undefined ? listed : "path" in line ? await storeDigest(line) : null;
    if (store !== null) inUse.add(store);
  }
  const roots = pairs.flatMap((pair) => {
    const root = pair.here?.root ?? pair.there?.root;
    if (root === undefined || !inUse.has(root)) return [];
    const status = states.get(pair)?.status ?? pair.here?.status ?? pair.there?.status;
    return [{ root, pair, status }];
  });
  const living = new Set(roots.flatMap(({ root, status }) => (status === "trashed" ? [] : [root])));
  const deserted = new Map(
    roots.flatMap(({ root, pair }) => (living.has(root) ? [] : [[root, pair] as const])),
  );
  return [...deserted.values()].map((pair) => ({
    pair,
    finding: "deserted",
    ids: idsOf(pair),
  }));
}

/** @returns files whose place is taken on the other side */
async function settleAll(run: Run, tasks: readonly Task[], book: Book): Promise<Task[]> {
  const [first] = tasks;
  if (first === undefined) return [];
  const { kind } = first.pair;
  const blocked: Task[] = [];
  let done = 0;
  for (const group of groupsOf(tasks, run.sides)) {
    run.options.signal.throwIfAborted();
    run.show({ phase: "copying", kind, done, total: tasks.length });
    blocked.push(...(await settle(run, group, book)));
    done += group.length;
  }
  run.show({ phase: "copying", kind, done, total: tasks.length });
  return blocked;
}

interface KindOf<Lines, Unit extends { readonly id: string }, Line> extends UnitsOf<Unit> {
  readonly linesOf: (lines: readonly ArchiveLine[]) => ReadonlyMap<string, Lines>;
  readonly plan: (
    task: Task,
    sides: Readonly<Record<SideName, Lines | null>>,
    to: { readonly maps: IdMaps; readonly ending: Closing | null },
  ) => Promise<Plan<Unit, Line> | null>;
}

const MEMORIES: KindOf<readonly MemoryLine[], MemoryUnit, MemoryLine> = {
  ...MEMORY_UNITS,
  linesOf: memoryLinesOf,
  plan: ({ ids }, sides, to) => planMemory(ids, sides, to),
};
const CONVERSATIONS: KindOf<ConversationLines, ConversationUnit, ConversationLine> = {
  ...CONVERSATION_UNITS,
  linesOf: conversationLinesOf,
  plan: (task, sides, { ending }) => {
    const ahead = isAsListed(task.pair, sides) ? aheadOf(task) : null;
    return planConversation(task.ids, sides, { ahead, ending });
  },
};

/** Reads a group of items of one kind, and writes to each side what it lacks of them. */
function settle(run: Run, group: readonly Task[], book: Book): Promise<Task[]> {
  return group[0]?.pair.kind === "memory"
    ? settleAs(MEMORIES, run, { group, book })
    : settleAs(CONVERSATIONS, run, { group, book });
}

async function settleAs<
  Lines,
  Unit extends { readonly id: string },
  Line extends MemoryLine | ConversationLine,
>(
  kind: KindOf<Lines, Unit, Line>,
  run: Run,
  { group, book }: { readonly group: readonly Task[]; readonly book: Book },
): Promise<Task[]> {
  const read = async (name: SideName) =>
    kind.linesOf(await readLines(run.sides[name], kind.name, idsOn(group, name)));
  const lines = { here: await read("here"), there: await read("there") };
  const at = new Date(run.options.now()).toISOString();
  const plans = await Promise.all(
    group.map(async (task) => {
      const { ids, finding } = task;
      const sides = {
        here: lines.here.get(ids.here) ?? null,
        there: lines.there.get(ids.there) ?? null,
      };
      const status = closingStatus(finding);
      const ending = status === null ? null : { status, at };
      const plan = await kind.plan(task, sides, { maps: book.maps, ending });
      return { task, plan: plan === null ? null : { ...plan, ...untouched(finding) } };
    }),
  );
  return settlePlans(run, plans, {
    book,
    write: (side, units) => writeUnits(side, kind, units),
  });
}

function closingStatus(finding: Finding): Closing["status"] | null {
  if (finding === "deserted") return "active";
  const isTrashing = finding === "gone_here" || finding === "gone_there" || finding === "no_place";
  return isTrashing ? "trashed" : null;
}

/** What is gone for good stays so. */
function untouched(finding: Finding): { readonly here?: null; readonly there?: null } {
  if (finding === "gone_here") return { here: null };
  return finding === "gone_there" ? { there: null } : {};
}

async function settlePlans<
  Unit extends { readonly id: string },
  Line extends MemoryLine | ConversationLine,
>(
  run: Run,
  planned: readonly { readonly task: Task; readonly plan: Plan<Unit, Line> | null }[],
  {
    book,
    write,
  }: {
    readonly book: Book;
    readonly write: (side: Side, units: readonly Unit[]) => Promise<Outcomes>;
  },
): Promise<Task[]> {
  const { sides, options, kinds } = run;
  const writeTo = async (name: SideName): Promise<Outcomes> => {
    const units = planned.flatMap(({ plan }) => plan?.[name]?.unit ?? []);
    if (units.length === 0) return new Map();
    if (options.dryRun) return new Map(units.map(({ id }) => [id, "written"]));
    const outcomes = await write(sides[name], units);
    run.hasWritten[name] ||= [...outcomes.values()].includes("written");
    return outcomes;
  };
  const outcomes = { here: await writeTo("here"), there: await writeTo("there") };
  const blocked: Task[] = [];
  for (const { task, plan } of planned) {
    // It is gone since it was listed: the next sync sees it as it is.
    if (plan === null) continue;
    const { kind } = task.pair;
    if (plan.conflict !== null) book.conflicts.set(task.pair, plan.conflict);
    let isDone = true;
    for (const name of ["here", "there"] as const) {
      const side = plan[name];
      if (side === null) continue;
      const outcome = outcomes[name].get(side.unit.id) ?? "changed";
      if (outcome === "written") {
        kinds[kind][name][side.effect] += 1;
        continue;
      }
      isDone = false;
      if (outcome === "place_taken" && closingStatus(task.finding) === null) blocked.push(task);
      else run.left.push({ kind, id: side.unit.id, side: name, reason: outcome });
    }
    if (!isDone) continue;
    if (plan.here === null && plan.there === null) kinds[kind].unchanged += 1;
    book.states.set(task.pair, plan.last);
    const item = { kind, id: task.ids.here, name: plan.name };
    const conflict = book.conflicts.get(task.pair);
    if (conflict !== undefined) run.conflicts.push({ ...item, ...conflict });
    if (task.finding === "no_place") run.conflicts.push({ ...item, kept: "path" });
    const seen = (name: SideName) => {
      const state = plan[name]?.seen ?? plan.was[name];
      // Gone from one side for good: what it was seen at last stays known.
      if (state === null) return task.pair.base?.[name === "here" ? 2 : 3] ?? "";
      const { messages = 0, unfinished = false } = task.pair[name] ?? {};
      return seenAt({ messages, unfinished, ...state });
    };
    book.remember(task.ids, seen("here"), seen("there"));
  }
  return [...new Set(blocked)];
}

/** Of a conversation, the side that alone changed since both were alike. */
function aheadOf({ pair }: Task): SideName | null {
  const changed = changesOf(pair);
  if (pair.here === null || pair.there === null || changed.here === changed.there) return null;
  return changed.here ? "here" : "there";
}

/** What came since the list was made is known to nobody, so no side is ahead of it. */
function isAsListed(
  { here, there }: Pair,
  lines: Readonly<Record<SideName, ConversationLines | null>>,
): boolean {
  return [[here, lines.here] as const, [there, lines.there] as const].every(([item, read]) => {
    const now = read?.states.find(({ type }) => type === "conversation");
    const messages = read?.messages.filter(({ type }) => type === "message") ?? [];
    return item?.version === now?.version && (item?.messages ?? 0) === messages.length;
  });
}

/** Arbitrary: what a group's texts take stays far below what a small machine has, and few requests are made. */
const MEMORIES_AT_ONCE = 200;
const CONVERSATIONS_AT_ONCE = 50;
const MESSAGES_AT_ONCE = 1_000;
/** Of one plan's batches: each page of lines walks what is left of its group. Arbitrary. */
const PAGES_AT_ONCE = 5;

/** Each is read from both sides at once. */
function groupsOf(tasks: readonly Task[], { here, there }: Run["sides"]): Task[][] {
  const limits = [here.start.limits, there.start.limits];
  const isFull = (group: readonly Task[], next: Task) => {
    if (next.pair.kind === "memory") {
      return group.length >= Math.min(MEMORIES_AT_ONCE, ...limits.map((of) => of.memories));
    }
    const messages = [...group, next].reduce((sum, task) => sum + messagesIn(task), 0);
    const most = Math.min(MESSAGES_AT_ONCE, ...limits.map((of) => PAGES_AT_ONCE * of.messages));
    return group.length >= CONVERSATIONS_AT_ONCE || messages > most;
  };
  const groups: Task[][] = [];
  for (const task of tasks) {
    const group = groups.at(-1);
    if (group === undefined || isFull(group, task)) groups.push([task]);
    else group.push(task);
  }
  return groups;
}

function messagesIn({ pair: { here, there } }: Task): number {
  return (here?.messages ?? 0) + (there?.messages ?? 0);
}

function idsOn(tasks: readonly Task[], name: SideName): string[] {
  return tasks.flatMap(({ pair }) => pair[name]?.id ?? []);
}

function idsOf({ here, there, base }: Pair): PairIds {
  return {
    here: here?.id ?? base?.[0] ?? there?.id ?? "",
    there: there?.id ?? base?.[1] ?? here?.id ?? "",
  };
}

function pairIdsOf([here, there]: BasePair): PairIds {
  return { here, there };
}

function idMapsOf(pairs: readonly Pair[]): IdMaps {
  const differing = pairs.map(idsOf).filter(({ here, there }) => here !== there);
  const toHere = new Map(differing.map(({ here, there }) => [there, here]));
  const toThere = new Map(differing.map(({ here, there }) => [here, there]));
  return {
    toHere: (id) => toHere.get(id) ?? id,
    toThere: (id) => toThere.get(id) ?? id,
  };
}

function changedAt({ pair: { here, there } }: Task): number {
  const times = [here, there].flatMap((item) =>
    item === null ? [] : [Date.parse(item.updated_at)],
  );
  return Math.max(...times);
}
