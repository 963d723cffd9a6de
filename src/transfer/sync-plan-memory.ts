/** What is to be written to each side of one memory, from the lines that each of them gave. Pure. */
import type { ArchiveLine, MemoryLine } from "./archive-lines.ts";
import {
  cut,
  effectOf,
  historyOf,
  linesOf,
  mergeSides,
  type IdMaps,
  type PairIds,
  type Plan,
  type Seen,
  type SidePlan,
} from "./sync-plan.ts";
import { memoryDigest, nowOf, renumbered, type History, type State } from "./sync-states.ts";
import type { MemoryUnit } from "./sync-wire.ts";

/** An item as one side has it; null: it is not there. */
export type MemoryLines = readonly MemoryLine[] | null;

export async function planMemory(
  ids: PairIds,
  sides: { readonly here: MemoryLines; readonly there: MemoryLines },
  maps: IdMaps,
): Promise<Plan<MemoryUnit> | null> {
  // Both in the ids of this side, because a state may name another memory.
  const here = await historyOf(sides.here ?? [], memoryDigest);
  const there = await historyOf(
    (sides.there ?? []).map((line) => withIds(line, maps.toHere)),
    memoryDigest,
  );
  if (here.length === 0 && there.length === 0) return null;
  const [cleanHere, cleanThere] = [redactedAs(here, there), redactedAs(there, here)];
  const merged = mergeSides(cleanHere.history, cleanThere.history);
  const planFor = (
    id: string,
    { history, redacted }: ReturnType<typeof redactedAs>,
    states: History<MemoryLine>,
    map: (line: MemoryLine) => MemoryLine,
  ): SidePlan<MemoryUnit> | null => {
    if (states.length === 0 && redacted.length === 0) return null;
    const now = history.at(-1)?.line ?? null;
    return {
      unit: {
        id,
        expected: now?.version ?? null,
        states: linesOf(states).map(map),
        redacted: redacted.map(map),
      },
      seen: seenOf([...history, ...states]),
      effect: effectOf(now, states.at(-1)?.line ?? null),
    };
  };
  return {
    here: planFor(ids.here, cleanHere, merged.toHere, (line) => line),
    there: planFor(ids.there, cleanThere, merged.toThere, (line) => withIds(line, maps.toThere)),
    conflict: merged.winner === null ? null : { kept: merged.winner },
    was: {
      here: here.length === 0 ? null : seenOf(here),
      there: there.length === 0 ? null : seenOf(there),
    },
    name: nameOf(nowOf(here.length > 0 ? here : there).line),
  };
}

function seenOf(history: History<MemoryLine>): Seen {
  const { version, digest } = nowOf(history);
  const redacted = history.slice(0, -1).filter(({ line }) => line.redacted !== undefined).length;
  return { version, digest, redacted };
}

/** A new state in the trash, after the one of now; of one side or of both. */
export async function planTrash(
  ids: PairIds,
  sides: { readonly here: MemoryLines; readonly there: MemoryLines },
  now: string,
): Promise<Plan<MemoryUnit> | null> {
  const here = await historyOf(sides.here ?? [], memoryDigest);
  const there = await historyOf(sides.there ?? [], memoryDigest);
  const last = Math.max(here.at(-1)?.version ?? 0, there.at(-1)?.version ?? 0);
  const some = here.at(-1) ?? there.at(-1);
  if (some === undefined) return null;
  const unitFor = async (id: string, history: History<MemoryLine>) => {
    const state = history.at(-1);
    if (state === undefined) return null;
    const { line } = renumbered(state, last + 1);
    const trashed = { ...line, status: "trashed" as const, trashed_at: now, updated_at: now };
    const digest = await memoryDigest(trashed);
    return {
      unit: { id, expected: state.version, states: [trashed], redacted: [] },
      seen: seenOf([...history, { version: last + 1, digest, line: trashed }]),
      effect: "trashed" as const,
    };
  };
  return {
    here: await unitFor(ids.here, here),
    there: await unitFor(ids.there, there),
    conflict: null,
    was: {
      here: here.length === 0 ? null : seenOf(here),
      there: there.length === 0 ? null : seenOf(there),
    },
    name: nameOf(some.line),
  };
}

/** A unit in parts that fit a batch. Parts go one after the other: each expects what the one before has written. */
export function partsOfMemory(unit: MemoryUnit, maxChars: number, maxStates: number): MemoryUnit[] {
  const parts = cut(unit.states, maxChars, maxStates);
  if (parts.length <= 1) return [unit];
  return parts.map((states, at) => ({
    id: unit.id,
    expected: at === 0 ? unit.expected : (parts[at - 1]?.at(-1)?.version ?? null),
    states,
    redacted: at === parts.length - 1 ? unit.redacted : [],
  }));
}

export function memoryLinesOf(lines: readonly ArchiveLine[]): Map<string, MemoryLine[]> {
  return Map.groupBy(
    lines.filter((line) => line.type === "memory" || line.type === "memory_version"),
    ({ id }) => id,
  );
}

/**
 * Where the other side has taken the text out of a state, it is out of it here too: it is never carried back. A state is the same one if
 * both its version and its time are.
 */
function redactedAs(
  history: History<MemoryLine>,
  other: History<MemoryLine>,
): { readonly history: History<MemoryLine>; readonly redacted: MemoryLine[] } {
  const gone = new Map(
    other.flatMap((state) =>
      state.line.redacted === undefined ? [] : [[state.version, state] as const],
    ),
  );
  const redacted: MemoryLine[] = [];
  const cleaned = history.map((state): State<MemoryLine> => {
    const counterpart = gone.get(state.version);
    const isSame =
      counterpart !== undefined &&
      state.line.redacted === undefined &&
      counterpart.line.updated_at === state.line.updated_at;
    if (!isSame) return state;
    redacted.push(counterpart.line);
    return counterpart;
  });
  return { history: cleaned, redacted };
}

function withIds(line: MemoryLine, map: (id: string) => string): MemoryLine {
  const { superseded_by, supersedes } = line;
  return {
    ...line,
    ...(superseded_by === undefined ? {} : { superseded_by: map(superseded_by) }),
    ...(supersedes === undefined ? {} : { supersedes: map(supersedes) }),
  };
}

/** Arbitrary: fits a line of a terminal. */
const NAME_CHARS = 60;

function nameOf({ path, content }: MemoryLine): string {
  return path ?? content.replaceAll(/\s+/gu, " ").slice(0, NAME_CHARS).toWellFormed();
}
