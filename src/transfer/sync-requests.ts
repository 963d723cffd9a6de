/** What a sync asks of one side: lists, lines, and units in batches that the side takes. */
import type { ArchiveLine } from "./archive-lines.ts";
import type { BatchLimits } from "./batches.ts";
import { partsOfConversation } from "./sync-plan-conversation.ts";
import { partsOfMemory } from "./sync-plan-memory.ts";
import type {
  ConversationUnit,
  LinesPage,
  MemoryUnit,
  SyncItem,
  SyncKind,
  SyncPage,
  SyncStart,
  SyncWritten,
  UnitOutcome,
} from "./sync-wire.ts";

export interface Side {
  readonly start: SyncStart;
  /** GET without a body. Comes back with an answer, however long that takes. */
  readonly ask: (path: string, body?: object) => Promise<unknown>;
  /** Waits for a quota. @param until milliseconds UTC */
  readonly wait: (until: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** By id. */
export type Outcomes = ReadonlyMap<string, UnitOutcome>;

// The shapes below are what `http/sync.ts` answers; the server and this file are of one version, or nearly.

/** How items of a kind go to a side. */
export interface UnitsOf<Unit> {
  readonly name: SyncKind;
  /** Of a request's body. */
  readonly field: "memories" | "conversations";
  /** Of one that is too long for a request. */
  readonly partsOf: (unit: Unit, limits: BatchLimits) => readonly Unit[];
  readonly sizes: readonly {
    readonly limit: keyof BatchLimits;
    readonly of: (unit: Unit) => number;
  }[];
}

export const MEMORY_UNITS: UnitsOf<MemoryUnit> = {
  name: "memory",
  field: "memories",
  partsOf: (unit, { chars, memories }) => partsOfMemory(unit, chars, memories),
  sizes: [{ limit: "memories", of: ({ states, redacted }) => states.length + redacted.length }],
};

export const CONVERSATION_UNITS: UnitsOf<ConversationUnit> = {
  name: "conversation",
  field: "conversations",
  partsOf: (unit, { chars, messages }) => partsOfConversation(unit, chars, messages),
  sizes: [
    { limit: "conversations", of: () => 1 },
    { limit: "messages", of: (unit) => unit.messages.length },
  ],
};

export async function writeUnits<Unit extends { readonly id: string }>(
  side: Side,
  kind: UnitsOf<Unit>,
  units: readonly Unit[],
): Promise<Outcomes> {
  const outcomes = new Map<string, UnitOutcome>();
  for (const batch of batchesOf(units, kind, side.start.limits)) {
    side.signal.throwIfAborted();
    for (const { id, outcome } of await writeBatch(side, { [kind.field]: batch })) {
      // Of an item in several parts the first that was refused says why.
      const before = outcomes.get(id) ?? "written";
      outcomes.set(id, before === "written" ? outcome : before);
    }
  }
  return outcomes;
}

async function writeBatch(side: Side, batch: object): Promise<SyncWritten["results"]> {
  for (;;) {
    const body = { operation_id: side.start.operation_id, ...batch };
    const { results, resume_at } = (await side.ask("/write", body)) as SyncWritten;
    if (resume_at === undefined) return results;
    await side.wait(Date.parse(resume_at));
  }
}

export async function list(side: Side, kind: SyncKind): Promise<SyncItem[]> {
  const path = kind === "memory" ? "/memories" : "/conversations";
  const items: SyncItem[] = [];
  for (let after: string | null = ""; after !== null;) {
    const query: string = after === "" ? "" : `?after=${after}`;
    const page = (await side.ask(`${path}${query}`)) as SyncPage;
    items.push(...page.items);
    after = page.next;
  }
  return items;
}

export async function readLines(
  side: Side,
  kind: SyncKind,
  ids: readonly string[],
): Promise<ArchiveLine[]> {
  const lines: ArchiveLine[] = [];
  if (ids.length === 0) return lines;
  const asked = kind === "memory" ? { memories: ids } : { conversations: ids };
  for (let from: string | null | undefined; from !== null;) {
    const page = (await side.ask("/lines", { ...asked, ...(from && { from }) })) as LinesPage;
    for (const line of page.lines) lines.push(line);
    from = page.next;
  }
  return lines;
}

/** Units in requests that a side takes. Each part of a large one is a request by itself, because it builds on the one before. */
function batchesOf<Unit>(
  units: readonly Unit[],
  { partsOf, sizes }: UnitsOf<Unit>,
  limits: BatchLimits,
): Unit[][] {
  const batches: Unit[][] = [];
  let batch: Unit[] = [];
  let chars = 0;
  const flush = () => {
    if (batch.length > 0) batches.push(batch);
    batch = [];
    chars = 0;
  };
  for (const unit of units) {
    const parts = partsOf(unit, limits);
    if (parts.length > 1) {
      flush();
      for (const part of parts) batches.push([part]);
      continue;
    }
    const size = JSON.stringify(unit).length;
    const sum = (of: (one: Unit) => number) =>
      [...batch, unit].reduce((total, one) => total + of(one), 0);
    const isOver =
      chars + size > limits.chars || sizes.some(({ limit, of }) => sum(of) > limits[limit]);
    if (isOver) flush();
    batch.push(unit);
    chars += size;
  }
  flush();
  return batches;
}
