/** Memories of a sync, sealed and written. Of each it is told what became of it. */
import { labelChanges, openText, textFingerprint, type MemoryText } from "../memory/memory.ts";
import { ownFingerprint } from "../memory/own-fingerprint.ts";
import type { OperationInput, SealedMemory } from "../storage/memories.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import type { MemoryUnitRows, MetMemory, TakenPlaces } from "../storage/synced-memories.ts";
import { memoryRow, memoryTextOf } from "./restored-rows.ts";
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
  const { keys } = at;
  const sealed = await Promise.all(
    units.map(async (unit) => {
      const rows = await Promise.all(
        unit.states.map((line) => memoryRow(at, { ...line, id: unit.id })),
      );
      const [row, last] = [rows.at(-1), unit.states.at(-1)];
      if (row === undefined || last === undefined) return { unit, rows, now: null };
      // A twin of the other side may be the only one here that says this.
      return {
        unit,
        rows,
        now: { ...row, fingerprint: await textFingerprint(keys, memoryTextOf(last)) },
      };
    }),
  );
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
  const isAsSeen = ({ id, expected }: MemoryUnit) => (before.get(id)?.version ?? null) === expected;
  const writing = new Set<string>();
  for (const { unit, now } of sealed) {
    const has = before.get(unit.id);
    // The answer to the first time got lost.
    if (has?.changedOp === operation.id && has.version === now?.version) {
      outcomes.set(unit.id, "written");
    } else if (isAsSeen(unit)) {
      writing.add(unit.id);
    }
  }
  const free = openPlaces(taken, writing);
  let room = at.rules.maxMemories - (await at.imports.memoryCount());
  const written: MemoryUnitRows[] = [];
  for (const { unit, rows, now } of sealed) {
    if (!writing.has(unit.id)) continue;
    const last = unit.states.at(-1);
    // Only earlier states are redacted.
    if (now === null || last === undefined) {
      outcomes.set(unit.id, "written");
      continue;
    }
    const has = before.get(unit.id) ?? null;
    const isMore = isCounted(now) && (has === null || !isCounted(has));
    if (isMore && room <= 0) {
      outcomes.set(unit.id, "limit_reached");
      continue;
    }
    const text = memoryTextOf(last);
    if (text.path !== undefined && isLiving(now) && !free.isPath(now)) {
      outcomes.set(unit.id, "place_taken");
      continue;
    }
    if (isMore) room -= 1;
    const fingerprint =
      isLiving(now) && !free.isStatement(now)
        ? await ownFingerprint(keys, text, unit.id)
        : now.fingerprint;
    free.take({ ...now, fingerprint });
    written.push({
      row: {
        ...now,
        fingerprint,
        originKey: free.originOf(now),
        createdOp: has?.createdOp ?? operation.id,
        changedOp: operation.id,
        expected: unit.expected,
      },
      labels: await labelChanges(keys, has === null ? NO_TEXT : await openText(keys, has), text),
      between: rows.slice(0, -1).map((row, index) => ({
        ...row,
        createdOp: has?.createdOp ?? operation.id,
        ...replacedBy(rows[index + 1]),
      })),
    });
  }
  const redacted = await Promise.all(
    units
      .filter(({ id }) => writing.has(id))
      .flatMap(({ id, redacted: lines }) =>
        lines.map(async (line) => ({
          ...(await memoryRow(at, { ...line, id })),
          createdOp: before.get(id)?.createdOp ?? operation.id,
          replacedOp: line.changed_op,
          replacedAt: operation.now,
        })),
      ),
  );
  if (written.length + redacted.length === 0) return outcomes;
  const versions = await at.syncedMemories.write(written, redacted, operation);
  for (const { row } of written) {
    outcomes.set(row.id, versions.get(row.id) === row.version ? "written" : "changed");
  }
  return outcomes;
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
