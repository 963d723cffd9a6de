/**
 * Makes two accounts alike: what is new on either side is copied to the other, versions included, so that nothing is lost and a conflict keeps
 * both texts. Client code, as `send.ts`: it holds ids and digests of everything, and texts of a group of items at a time. Each write says
 * which version it was made for, so a sync that broke off anywhere is finished by another one.
 */
import { pause, persist, type ApiAnswer, type SendOptions } from "./send.ts";
import {
  changesOf,
  judge,
  pairsOf,
  seenAt,
  type BasePair,
  type Finding,
  type Pair,
  type SyncBase,
} from "./sync-pairs.ts";
import type { IdMaps, PairIds, Plan } from "./sync-plan.ts";
import {
  conversationLinesOf,
  planConversation,
  planConversationTrash,
  type ConversationLines,
} from "./sync-plan-conversation.ts";
import { memoryLinesOf, planMemory, planTrash, type MemoryLines } from "./sync-plan-memory.ts";
import {
  list,
  readLines,
  writeConversations,
  writeMemories,
  type Outcomes,
  type Side,
} from "./sync-requests.ts";
import type { SyncKind, SyncStart, UnitOutcome } from "./sync-wire.ts";

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
      await pause(until - now(), signal);
    },
  };
}

async function openSide(options: SyncOptions, name: SideName, wait: Side["wait"]): Promise<Side> {
  const { call, onDelay, signal } = options;
  const ask = (path: string, body?: object) =>
    persist(
      // True because it gets the body from here.
      { call: (to, sent) => call(name, to, sent as object | undefined), onDelay, signal },
      path,
      body,
    );
  // In the shape that `http/sync.ts` answers.
  return { start: (await ask("/begin", {})) as SyncStart, ask, wait, signal };
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
  const before = isOurs ? base : null;
  // As it was, until the lists of a kind are there.
  const known: Record<SyncKind, () => readonly BasePair[]> = {
    memory: () => before?.memory ?? [],
    conversation: () => before?.conversation ?? [],
  };
  const kinds = { memory: emptyKind(), conversation: emptyKind() };
  const conflicts: SyncReport["conflicts"][number][] = [];
  const left: LeftSyncItem[] = [];
  const hasWritten = { here: false, there: false };
  return {
    options,
    sides,
    known,
    kinds,
    conflicts,
    left,
    hasWritten,
    show,
    base: (): SyncBase => ({
      ...accounts,
      memory: known.memory(),
      conversation: known.conversation(),
    }),
    report: (): SyncReport => ({
      ...(options.dryRun ? { dry_run: true } : {}),
      ...kinds,
      conflicts,
      left,
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

/** What is alike, and which ids name the same things. */
interface Book {
  readonly maps: IdMaps;
  readonly remember: (ids: PairIds, here: string, there: string) => void;
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
  const book = { maps: idMapsOf(pairs), remember };

  const tasks: Task[] = [];
  for (const pair of pairs) {
    const finding = judge(pair);
    const ids = idsOf(pair);
    if (finding === "same" && pair.here !== null && pair.there !== null) {
      kinds[kind].unchanged += 1;
      remember(ids, seenAt(pair.here), seenAt(pair.there));
    } else if (finding === "clash") {
      run.left.push({ kind, id: ids.here, side: "there", reason: "clash" });
    } else if (finding !== "gone_in_trash") {
      tasks.push({ pair, finding, ids });
    }
  }
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

/** Reads a group of items of one kind, and writes to each side what it lacks of them. */
async function settle(run: Run, group: readonly Task[], book: Book): Promise<Task[]> {
  const [first] = group;
  if (first === undefined) return [];
  return first.pair.kind === "memory"
    ? settleMemories(run, group, book)
    : settleConversations(run, group, book);
}

async function settleMemories(run: Run, group: readonly Task[], book: Book): Promise<Task[]> {
  const read = async (name: SideName) =>
    memoryLinesOf(await readLines(run.sides[name], "memory", idsOn(group, name)));
  const lines = { here: await read("here"), there: await read("there") };
  const at = new Date(run.options.now()).toISOString();
  const plans = await Promise.all(
    group.map(async (task) => {
      const { ids, finding } = task;
      const sides: Readonly<Record<SideName, MemoryLines>> = {
        here: lines.here.get(ids.here) ?? null,
        there: lines.there.get(ids.there) ?? null,
      };
      const plan = isTrashing(finding)
        ? await planTrash(ids, sides, at)
        : await planMemory(ids, sides, book.maps);
      return { task, plan };
    }),
  );
  return settlePlans(run, plans, book, writeMemories);
}

async function settleConversations(run: Run, group: readonly Task[], book: Book): Promise<Task[]> {
  const read = async (name: SideName) =>
    conversationLinesOf(await readLines(run.sides[name], "conversation", idsOn(group, name)));
  const lines = { here: await read("here"), there: await read("there") };
  const at = new Date(run.options.now()).toISOString();
  const plans = await Promise.all(
    group.map(async (task) => {
      const { ids, finding } = task;
      const sides: Readonly<Record<SideName, ConversationLines | null>> = {
        here: lines.here.get(ids.here) ?? null,
        there: lines.there.get(ids.there) ?? null,
      };
      const plan = isTrashing(finding)
        ? await planConversationTrash(ids, sides, at)
        : await planConversation(ids, sides, aheadOf(task));
      return { task, plan };
    }),
  );
  return settlePlans(run, plans, book, writeConversations);
}

async function settlePlans<Unit extends { readonly id: string }>(
  run: Run,
  planned: readonly { readonly task: Task; readonly plan: Plan<Unit> | null }[],
  book: Book,
  write: (side: Side, units: readonly Unit[]) => Promise<Outcomes>,
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
      if (outcome === "place_taken" && task.finding !== "no_place") blocked.push(task);
      else run.left.push({ kind, id: side.unit.id, side: name, reason: outcome });
    }
    if (!isDone) continue;
    if (plan.here === null && plan.there === null) kinds[kind].unchanged += 1;
    if (plan.conflict !== null || task.finding === "no_place") {
      const kept = plan.conflict?.kept ?? "path";
      run.conflicts.push({ kind, id: task.ids.here, name: plan.name, kept });
    }
    const seen = (name: SideName) => {
      const state = plan[name]?.seen ?? plan.was[name];
      // Gone from one side for good: what it was seen at last stays known.
      if (state === null) return task.pair.base?.[name === "here" ? 2 : 3] ?? "";
      return seenAt({ messages: task.pair[name]?.messages ?? 0, ...state });
    };
    book.remember(task.ids, seen("here"), seen("there"));
  }
  return [...new Set(blocked)];
}

function isTrashing(finding: Finding): boolean {
  return finding === "gone_here" || finding === "gone_there" || finding === "no_place";
}

/** Of a conversation, the side that alone changed since both were alike. */
function aheadOf({ pair }: Task): SideName | null {
  const changed = changesOf(pair);
  if (pair.here === null || pair.there === null || changed.here === changed.there) return null;
  return changed.here ? "here" : "there";
}

/** Arbitrary: what a group's texts take stays far below what a small machine has, and few requests are made. */
const MEMORIES_AT_ONCE = 200;
const CONVERSATIONS_AT_ONCE = 50;
const MESSAGES_AT_ONCE = 1_000;

/** Each is read from both sides at once. */
function groupsOf(tasks: readonly Task[], { here, there }: Run["sides"]): Task[][] {
  const limits = [here.start.limits, there.start.limits];
  const isFull = (group: readonly Task[], next: Task) => {
    if (next.pair.kind === "memory") {
      return group.length >= Math.min(MEMORIES_AT_ONCE, ...limits.map((of) => of.memories));
    }
    const messages = [...group, next].reduce((sum, task) => sum + messagesIn(task), 0);
    return group.length >= CONVERSATIONS_AT_ONCE || messages > MESSAGES_AT_ONCE;
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
