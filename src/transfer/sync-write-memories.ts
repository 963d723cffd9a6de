/** Memories of a sync, sealed and written. Of each it is told what became of it. */
import { labelChanges, openText, textFingerprint, type MemoryText } from "../memory/memory.ts";
import { ownFingerprint } from "../memory/own-fingerprint.ts";
import type { OperationInput, SealedMemory } from "../storage/memories.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import type { MemoryUnitRows, MetMemory, TakenPlaces } from "../storage/synced-memories.ts";
import { memoryRow, memoryTextOf, trashedBy } from "./restored-rows.ts";
import { parseLines } from "./sync-wire.ts";
import type { MemoryUnit, SyncWrite, UnitOutcome } from "./sync-wire.ts";

/** A save of the same moment may take a text or place that was free when it was looked at. */
const ATTEMPTS = 3;

export async function writeMemories(
  at: OpenAccount,
  sent: SyncWrite["memories"],
  operation: OperationInput,
): Promise<Map<string, UnitOutcome>> {
  const outcomes = new Map<string, UnitOutcome>();
  const units: MemoryUnit[] = [];
  for (const unit of sent) {
    const states = parseLines(unit.states, ["memory", "memory_version"]);
    const redacted = parseLines(unit.redacted, ["memory", "memory_version"]);
    if (states === null || redacted === null) outcomes.set(unit.id, "unreadable");
    else units.push({ ...unit, states, redacted });
  }
  if (units.length === 0) return outcomes;
  for (let attempt = 1; ; attempt++) {
    try {
      const tried = await tryMemories(at, units, operation);
      return new Map([...outcomes, ...tried]);
    } catch (error) {
      if (attempt === ATTEMPTS || !isTaken(error)) throw error;
    }
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && error.message.includes("UNIQUE constraint failed: memories.");
}

async function tryMemories(
  at: OpenAccount,
  units: readonly MemoryUnit[],
  operation: OperationInput,
): Promise<Map<string, UnitOutcome>> {
  const sealed = await Promise.all(units.map((unit) => sealUnit(at, unit)));
  const latest = sealed.flatMap(({ now }) => (now === null ? [] : [now]));
  const { met, taken } = await at.syncedMemories.met(
    units.map(({ id }) => id),
    {
      fingerprints: latest.map(({ fingerprint }) => fingerprint),
      paths: latest.flatMap(({ pathToken }) => pathToken ?? []),
      origins: latest.flatMap(({ originKey }) => originKey ?? []),
    },
  );
  const before = new Map(met.map((row) => [row.id, row]));
  const outcomes = new Map<string, UnitOutcome>();
  const asSeen: SealedUnit[] = [];
  for (const one of sealed) {
    const { unit, now } = one;
    const has = before.get(unit.id);
    // The answer to the first time got lost.
    const isWritten = has?.changedOp === operation.id && has.version === now?.version;
    if (isWritten) outcomes.set(unit.id, "written");
    else if ((has?.version ?? null) === unit.expected) asSeen.push(one);
  }
  const room = at.rules.maxMemories - (await at.imports.memoryCount());
  const { placed, refused } = placeUnits(asSeen, { before, taken, room });
  for (const [id, outcome] of refused) outcomes.set(id, outcome);
  const written = await Promise.all(
    placed.map((one) => unitRows(at, one, { has: before.get(one.row.id) ?? null, operation })),
  );
  const redacted = await Promise.all(
    asSeen.flatMap(({ unit: { id, redacted: lines } }) =>
      lines.map(async (line) => ({
        ...(await memoryRow(at, { ...line, id })),
        createdOp: before.get(id)?.createdOp ?? operation.id,
        replacedOp: line.changed_op,
        replacedAt: operation.now,
      })),
    ),
  );
  // Only earlier states are redacted.
  for (const { unit, now } of asSeen) if (now === null) outcomes.set(unit.id, "written");
  if (written.length + redacted.length === 0) return outcomes;
  const versions = await at.syncedMemories.write(written, redacted, operation);
  for (const { row } of written) {
    outcomes.set(row.id, versions.get(row.id) === row.version ? "written" : "changed");
  }
  return outcomes;
}

interface SealedUnit {
  readonly unit: MemoryUnit;
  readonly rows: readonly SealedMemory[];
  /** The last of them, under the fingerprint of its text; null: there are no states. */
  readonly now: SealedMemory | null;
}

async function sealUnit(at: OpenAccount, unit: MemoryUnit): Promise<SealedUnit> {
  const rows = await Promise.all(
    unit.states.map((line) => memoryRow(at, { ...line, id: unit.id })),
  );
  const [row, last] = [rows.at(-1), unit.states.at(-1)];
  if (row === undefined || last === undefined) return { unit, rows, now: null };
  // A twin of the other side may be the only one here that says this.
  const fingerprint = await textFingerprint(at.keys, memoryTextOf(last));
  return { unit, rows, now: { ...row, fingerprint } };
}

/** A unit that is written, and what it could have of what its state of now wants. */
interface PlacedUnit extends SealedUnit {
  readonly row: SealedMemory;
  /** Another one says the same. */
  readonly isTwin: boolean;
}

interface Met {
  readonly before: ReadonlyMap<string, MetMemory>;
  readonly taken: TakenPlaces;
  /** How many more memories the account may have. */
  readonly room: number;
}

/** One that is refused stays where it is, and so may be in the way of another one. */
function placeUnits(
  units: readonly SealedUnit[],
  met: Met,
): { readonly placed: PlacedUnit[]; readonly refused: Map<string, UnitOutcome> } {
  const refused = new Map<string, UnitOutcome>();
  for (;;) {
    const left = units.filter(({ unit }) => !refused.has(unit.id));
    const { placed, refused: more } = tryPlaces(left, met);
    if (more.size === 0) return { placed, refused };
    for (const [id, outcome] of more) refused.set(id, outcome);
  }
}

function tryPlaces(units: readonly SealedUnit[], { before, taken, room }: Met) {
  const free = openPlaces(taken, new Set(units.map(({ unit }) => unit.id)));
  const refused = new Map<string, UnitOutcome>();
  const placed: PlacedUnit[] = [];
  let left = room;
  for (const one of units) {
    const { unit, now } = one;
    if (now === null) continue;
    const has = before.get(unit.id) ?? null;
    const isMore = isCounted(now) && (has === null || !isCounted(has));
    if (isMore && left <= 0) {
      refused.set(unit.id, "limit_reached");
      continue;
    }
    const isInTheWay = now.pathToken !== null && isLiving(now) && !free.isPath(now);
    if (isInTheWay && unit.more !== true) {
      refused.set(unit.id, "place_taken");
      continue;
    }
    if (isMore) left -= 1;
    const isTwin = isLiving(now) && !free.isStatement(now);
    // A state between parts: where it stood then somebody else may stand now.
    const pathToken = isInTheWay ? null : now.pathToken;
    const row = { ...now, pathToken, originKey: free.originOf(now) };
    free.take(row);
    placed.push({ ...one, row, isTwin });
  }
  return { placed, refused };
}

async function unitRows(
  { keys }: OpenAccount,
  { unit, rows, row, isTwin }: PlacedUnit,
  { has, operation }: { readonly has: MetMemory | null; readonly operation: OperationInput },
): Promise<MemoryUnitRows> {
  const createdOp = has?.createdOp ?? operation.id;
  const last = unit.states.at(-1);
  const text = last === undefined ? NO_TEXT : memoryTextOf(last);
  return {
    row: {
      ...row,
      fingerprint: isTwin ? await ownFingerprint(keys, text, unit.id) : row.fingerprint,
      ...trashedBy(operation, row),
      lastUsedAt: Math.max(row.lastUsedAt, has?.lastUsedAt ?? 0),
      createdOp,
      changedOp: operation.id,
      expected: unit.expected,
    },
    saidBy: row.changedOp,
    labels: await labelChanges(keys, has === null ? NO_TEXT : await openText(keys, has), text),
    between: rows.slice(0, -1).map((state, index) => ({
      ...state,
      createdOp,
      ...replacedBy(rows[index + 1]),
    })),
  };
}

const NO_TEXT: MemoryText = { content: "", tags: [] };

function replacedBy(next: { readonly changedOp: string; readonly updatedAt: number } | undefined) {
  if (next === undefined) throw new Error("A state between two others has one after it");
  return { replacedOp: next.changedOp, replacedAt: next.updatedAt };
}

/** As the limit on memories counts them. */
function isCounted({ status }: Pick<MetMemory, "status">): boolean {
  return status !== "trashed";
}

function isLiving({ status, supersededBy }: Pick<SealedMemory, "status" | "supersededBy">) {
  return status !== "trashed" && supersededBy === null;
}

/** Who says what and stands where, but for those that are about to change, and with those that have. */
function openPlaces(taken: TakenPlaces, writing: ReadonlySet<string>) {
  const others = (by: ReadonlyMap<string, string>) =>
    new Set([...by].flatMap(([key, id]) => (writing.has(id) ? [] : [key])));
  const fingerprints = others(taken.fingerprints);
  const paths = others(taken.paths);
  const origins = new Map(taken.origins);
  return {
    isStatement: ({ fingerprint }: SealedMemory) => !fingerprints.has(fingerprint),
    isPath: ({ pathToken, fingerprint }: SealedMemory) =>
      (pathToken === null || !paths.has(pathToken)) && !fingerprints.has(fingerprint),
    /** One item is known by an origin; the first keeps it. */
    originOf({ id, originKey }: SealedMemory): string | null {
      if (originKey === null) return null;
      const owner = origins.get(originKey) ?? id;
      origins.set(originKey, owner);
      return owner === id ? originKey : null;
    },
    take(row: SealedMemory): void {
      if (!isLiving(row)) return;
      fingerprints.add(row.fingerprint);
      if (row.pathToken !== null && row.status === "active") paths.add(row.pathToken);
    },
  };
}
