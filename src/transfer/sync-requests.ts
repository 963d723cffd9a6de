/** What a sync asks of one side: lists, lines, and units in batches that the side takes. */
import type { ArchiveLine } from "./archive-lines.ts";
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

export async function writeMemories(side: Side, units: readonly MemoryUnit[]): Promise<Outcomes> {
  const { chars, memories } = side.start.limits;
  const batches = batchesOf(units, (unit) => partsOfMemory(unit, chars, memories), {
    chars,
    sizes: [{ max: memories, of: ({ states, redacted }) => states.length + redacted.length }],
  });
  return writeBatches(
    side,
    batches.map((batch) => ({ memories: batch })),
  );
}

export async function writeConversations(
  side: Side,
  units: readonly ConversationUnit[],
): Promise<Outcomes> {
  const { chars, conversations, messages } = side.start.limits;
  const batches = batchesOf(units, (unit) => partsOfConversation(unit, chars, messages), {
    chars,
    sizes: [
      { max: conversations, of: () => 1 },
      { max: messages, of: (unit) => unit.messages.length },
    ],
  });
  return writeBatches(
    side,
    batches.map((batch) => ({ conversations: batch })),
  );
}

async function writeBatches(side: Side, batches: readonly object[]): Promise<Outcomes> {
  const outcomes = new Map<string, UnitOutcome>();
  for (const batch of batches) {
    side.signal.throwIfAborted();
    for (const { id, outcome } of await writeBatch(side, batch)) {
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

interface BatchBounds<Unit> {
  readonly chars: number;
  readonly sizes: readonly { readonly max: number; readonly of: (unit: Unit) => number }[];
}

/** Units in requests that a side takes. Each part of a large one is a request by itself, because it builds on the one before. */
function batchesOf<Unit>(
  units: readonly Unit[],
  partsOf: (unit: Unit) => readonly Unit[],
  { chars: maxChars, sizes }: BatchBounds<Unit>,
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
    const parts = partsOf(unit);
    if (parts.length > 1) {
      flush();
      for (const part of parts) batches.push([part]);
      continue;
    }
    const size = JSON.stringify(unit).length;
    const isOver =
      chars + size > maxChars ||
      sizes.some(({ max, of }) => [...batch, unit].reduce((sum, one) => sum + of(one), 0) > max);
    if (isOver) flush();
    batch.push(unit);
    chars += size;
  }
  flush();
  return batches;
}
